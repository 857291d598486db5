import ComputeCore
import OpenCLRuntime

extension GrammarDraw: OpenCLOperation {
    private var paddedIDs: Int { logits.shape[2].roundedUp(to: 16) }

    func scratchBytes(on backend: OpenCLBackend, given _: RoundedTensors) throws(OpenCLError) -> [Int] {
        let positions = tokens.shape.elementCount
        let masses = positions * automaton.drawnClassCount
        let messages = (positions + tokens.shape[0]) * stateCount.roundedUp(to: 16)
        return [positions * paddedIDs, masses, masses, messages, messages, positions].map { 4 * $0 }
    }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let positions = SIMD3(tokens.shape.elementCount, 1, 1)
        let scratch = binder.scratch.map { KernelArgument.buffer($0) }
        let (weights, masses, messages, rests) = (scratch[0], scratch[1...2], scratch[3...4], scratch[5])
        let (tokens, classes) = try (binder.argument(tokens), binder.argument(automaton.classes))
        let results = [
            try binder.argument(candidates), try binder.argument(confidence), try binder.argument(nearTies),
        ]
        let (padded, ids) = (logits.shape[1], logits.shape[2])
        let perSample = binder.group(atMost: 256)
        return [
            try binder.launch(
                KernelVariant(.grammarDraw, entry: "grammar_masses"), global: positions,
                [try binder.argument(logits), tokens, classes] + results + [weights] + masses + [
                    .int(padded), .int(length), .int(ids), .int(paddedIDs), .int(automaton.drawnClassCount),
                    .float32(temperature), .float32(topP), .int32(maskToken),
                ]),
            try binder.launch(
                KernelVariant(.grammarPath, ["ITEMS": perSample]),
                global: SIMD3(perSample * logits.shape[0], 1, 1), local: SIMD3(perSample, 1, 1),
                [
                    tokens, try binder.argument(automaton.given), classes, try binder.argument(automaton.arcs),
                    try binder.argument(automaton.moves), try binder.argument(automaton.ends),
                    try binder.argument(step),
                ] + results + masses + messages + [
                    rests, .int(padded), .int(length), .int(stateCount), .int(automaton.drawnClassCount),
                    .int32(automaton.start), .float32(temperature), .int32(maskToken),
                ]),
            try binder.launch(
                KernelVariant(.grammarDraw, entry: "grammar_tokens"), global: positions,
                [tokens, classes] + results + [
                    weights, rests, .int(padded), .int(length), .int(ids), .int(paddedIDs), .float32(temperature),
                    .int32(maskToken),
                ]),
        ]
    }
}
