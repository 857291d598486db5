import ComputeCore
import OpenCLRuntime

extension Reveal: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        // With a group, the work-items of one own a sample; without, each owns a position.
        let (entry, extra, group): (String, Tensor?, Int?) =
            switch rule {
            case .independent: ("reveal_independent", nil, nil)
            case .scheduled(let steps): ("reveal_scheduled", steps, nil)
            case .confidence(let confidence): ("reveal_confidence", confidence, binder.group(atMost: 256))
            }
        var arguments = [try binder.argument(tokens), try binder.argument(candidates), try binder.argument(step)]
        if let extra { arguments.append(try binder.argument(extra)) }
        arguments += [.int(tokens.shape[1]), .int(length), .int32(maskToken)]
        let items = group.map { $0 * tokens.shape[0] } ?? tokens.shape.elementCount
        return [
            try binder.launch(
                KernelVariant(.reveal, entry: entry, ["LANES": 1, "GROUP": group]), global: SIMD3(items, 1, 1),
                local: group.map { SIMD3($0, 1, 1) }, arguments)
        ]
    }
}
