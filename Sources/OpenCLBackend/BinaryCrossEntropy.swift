import ComputeCore
import OpenCLRuntime

extension BinaryCrossEntropy: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let (rows, cells) = (losses.shape.elementCount, logits.shape[2])
        let (group, rowsPerGroup) =
            switch binder.path {
            case .vector: (1, 16)
            case .group: (min(64, binder.backend.context.device.maxWorkGroupSize), 1)
            case .simple: (1, 1)
            }
        return [
            try binder.launch(
                KernelVariant(
                    .binaryCrossEntropy,
                    [
                        "LANES": binder.path.lanes, "GROUP": group, "ROWS": rowsPerGroup,
                        "ABSOLUTE": (loss == .absolute).define,
                    ]),
                global: SIMD3(rows.dividedRoundingUp(by: rowsPerGroup) * group, 1, 1), local: SIMD3(group, 1, 1),
                [
                    .int(rows), .int(cells), .int(logits.shape[1]), binder.argument(logits), binder.argument(targets),
                    binder.argument(known), binder.argument(weights), binder.argument(losses),
                ])
        ]
    }
}
