import ComputeCore
import OpenCLRuntime

extension CopyRows: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let lanes = binder.path.lanes
        return [
            try binder.launch(
                KernelVariant(.copyRows, ["LANES": lanes]),
                global: SIMD3(source.columns.dividedRoundingUp(by: lanes), source.rows, 1),
                [.int(source.columns), .int(accumulates ? 1 : 0)] + binder.arguments(source)
                    + binder.arguments(target))
        ]
    }
}
