import ComputeCore
import OpenCLRuntime

extension LayerNorm: OpenCLOperation {
    var roundableOperands: Set<String> { ["output"] }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let width = input.shape[-1]
        let rows = input.shape.elementCount / width
        // On the vector path a work-item takes a few rows, so that its launch costs little beside them.
        let (group, rowsPerGroup) =
            switch binder.path {
            case .vector: (1, 4)
            case .group: (min(64, binder.backend.context.device.maxWorkGroupSize), 1)
            case .simple: (1, 1)
            }
        return [
            try binder.launch(
                KernelVariant(
                    .layerNorm,
                    [
                        "LANES": binder.path.lanes, "GROUP": group, "ROWS": rowsPerGroup,
                        "RESULT_BFLOAT16": binder.rounded.contains(output).define,
                    ]),
                global: SIMD3(rows.dividedRoundingUp(by: rowsPerGroup) * group, 1, 1), local: SIMD3(group, 1, 1),
                [
                    .int(rows), .int(width), .float32(epsilon), binder.argument(input), binder.argument(weight),
                    binder.argument(bias), binder.argument(output),
                ])
        ]
    }
}
