import ComputeCore
import OpenCLRuntime

extension Reveal: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let positions = SIMD3(tokens.shape.elementCount, 1, 1)
        let (entry, global, extra): (String, SIMD3<Int>, Tensor?) =
            switch rule {
            case .independent: ("reveal_independent", positions, nil)
            case .scheduled(let steps): ("reveal_scheduled", positions, steps)
            case .confidence(let confidence): ("reveal_confidence", SIMD3(tokens.shape[0], 1, 1), confidence)
            }
        var arguments = [try binder.argument(tokens), try binder.argument(candidates), try binder.argument(step)]
        if let extra { arguments.append(try binder.argument(extra)) }
        arguments += [.int(tokens.shape[1]), .int(length), .int32(maskToken)]
        return [try binder.launch(KernelVariant(.reveal, entry: entry), global: global, arguments)]
    }
}
