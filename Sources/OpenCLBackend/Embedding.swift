import ComputeCore
import OpenCLRuntime

extension Embedding: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let lanes = binder.path.lanes
        let rows = tokens.shape.elementCount
        return [
            try binder.launch(
                KernelVariant(.embedding, ["LANES": lanes]),
                global: SIMD3(table.shape[1].dividedRoundingUp(by: lanes), rows, 1),
                [
                    .int(table.shape[1]), .int(table.shape[0]), binder.argument(tokens), binder.argument(table),
                    binder.argument(output),
                ])
        ]
    }
}

extension Int {
    /// ⌈self / divisor⌉ for positive values.
    func dividedRoundingUp(by divisor: Int) -> Int { (self + divisor - 1) / divisor }
}
