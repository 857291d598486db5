import ComputeCore
import OpenCLRuntime

extension EmbeddingBackward: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let (rows, width) = (tableGradient.shape[0], tableGradient.shape[1])
        let lanes = binder.path.lanes
        return [
            try binder.launch(
                KernelVariant(.embeddingBackward, ["LANES": lanes]),
                global: SIMD3(width.dividedRoundingUp(by: lanes), rows, 1),
                [
                    .int(forward.tokens.shape.elementCount), .int(width), binder.argument(forward.tokens),
                    binder.argument(outputGradient), binder.argument(tableGradient),
                ])
        ]
    }
}
