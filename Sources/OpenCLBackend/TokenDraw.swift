import ComputeCore
import OpenCLRuntime

extension TokenDraw: OpenCLOperation {
    private var paddedIDs: Int { logits.shape[2].roundedUp(to: 16) }

    func scratchBytes(on backend: OpenCLBackend, given _: RoundedTensors) throws(OpenCLError) -> [Int] {
        [4 * logits.shape[0] * logits.shape[1] * paddedIDs]
    }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        [
            try binder.launch(
                KernelVariant(.tokenDraw), global: SIMD3(tokens.shape.elementCount, 1, 1),
                [
                    binder.argument(logits), binder.argument(tokens), binder.argument(allowed), binder.argument(step),
                    binder.argument(candidates), binder.argument(confidence), binder.argument(nearTies),
                    .buffer(binder.scratch[0]), .int(logits.shape[1]), .int(logits.shape[2]), .int(paddedIDs),
                    .float32(temperature), .float32(topP), .int32(maskToken),
                ])
        ]
    }
}
