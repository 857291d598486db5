import ComputeCore
import OpenCLRuntime

extension BinaryCrossEntropy: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let (rows, cells) = (losses.shape.elementCount, logits.shape[2])
        let groups = RowGroups(rows, vectorRows: 16, for: binder)
        return [
            try binder.launch(
                groups.variant(.binaryCrossEntropy, ["ABSOLUTE": (loss == .absolute).define]), global: groups.global,
                local: groups.local,
                [
                    .int(rows), .int(cells), .int(logits.shape[1]), binder.argument(logits), binder.argument(targets),
                    binder.argument(known), binder.argument(weights), binder.argument(losses),
                ])
        ]
    }
}
