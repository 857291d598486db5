import ComputeCore
import OpenCLRuntime

extension Corrupt: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        [
            try binder.launch(
                KernelVariant(.corrupt), global: SIMD3(clean.shape.elementCount, 1, 1),
                [
                    binder.argument(clean), binder.argument(thresholds), binder.argument(step), binder.argument(noisy),
                    .int(clean.shape[1]), .int32(maskToken),
                ])
        ]
    }
}
