import ComputeCore
import OpenCLRuntime

extension CellDraw: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        [
            try binder.launch(
                KernelVariant(.cellDraw), global: SIMD3(logits.shape.elementCount, 1, 1),
                [
                    binder.argument(logits), binder.argument(step), binder.argument(estimate),
                    binder.argument(nearTies), .int(logits.shape[1] * logits.shape[2]), .float32(temperature),
                ])
        ]
    }
}
