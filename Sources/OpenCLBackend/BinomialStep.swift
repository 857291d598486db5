import ComputeCore
import OpenCLRuntime

extension BinomialStep: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        [
            try binder.launch(
                KernelVariant(.binomialStep), global: SIMD3(current.shape.elementCount, 1, 1),
                [
                    binder.argument(current), binder.argument(estimate), binder.argument(known),
                    binder.argument(thresholds), binder.argument(step), binder.argument(output),
                    .int(current.shape[1]), .int(current.shape[2]), .int(thresholds.shape[1]),
                    .uint32(purpose.rawValue),
                ])
        ]
    }
}
