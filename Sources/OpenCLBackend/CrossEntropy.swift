import ComputeCore
import OpenCLRuntime

extension CrossEntropy: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let (rows, ids) = (targets.shape.elementCount, logits.shape[2])
        let groups = RowGroups(rows, vectorRows: 16, for: binder)
        return [
            try binder.launch(
                groups.variant(.crossEntropy), global: groups.global, local: groups.local,
                [
                    .int(rows), .int(ids), .int(logits.shape[1]), binder.argument(logits), binder.argument(targets),
                    binder.argument(selector), .int32(selected), binder.argument(weights), binder.argument(losses),
                ])
        ]
    }
}
