import ComputeCore
import OpenCLRuntime

extension GrammarDraw: OpenCLOperation {
    private var paddedIDs: Int { logits.shape[2].roundedUp(to: 16) }

    /// Bytes of a float with an exponent of its own.
    private static let wideFloatBytes = 8

    func scratchBytes(on backend: OpenCLBackend) throws(OpenCLError) -> [Int] {
        let positions = tokens.shape.elementCount
        return [
            4 * positions * paddedIDs,
            Self.wideFloatBytes * positions * automaton.drawnClassCount,
            Self.wideFloatBytes * (positions + tokens.shape[0]) * stateCount,
            4 * positions,
        ]
    }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let positions = SIMD3(tokens.shape.elementCount, 1, 1)
        let (weights, masses) = (KernelArgument.buffer(binder.scratch[0]), KernelArgument.buffer(binder.scratch[1]))
        let (messages, rests) = (KernelArgument.buffer(binder.scratch[2]), KernelArgument.buffer(binder.scratch[3]))
        let (tokens, classes) = try (binder.argument(tokens), binder.argument(automaton.classes))
        let results = [
            try binder.argument(candidates), try binder.argument(confidence), try binder.argument(nearTies),
        ]
        let (padded, ids) = (logits.shape[1], logits.shape[2])
        let perSample = binder.path == .group ? 256 : 1
        return [
            try binder.launch(
                KernelVariant(.grammarDraw, entry: "grammar_masses"), global: positions,
                [try binder.argument(logits), tokens, classes] + results + [
                    weights, masses, .int(padded), .int(length), .int(ids), .int(paddedIDs),
                    .int(automaton.drawnClassCount), .float32(temperature), .float32(topP), .int32(maskToken),
                ]),
            try binder.launch(
                KernelVariant(.grammarPath, ["ITEMS": perSample]),
                global: SIMD3(perSample * logits.shape[0], 1, 1), local: SIMD3(perSample, 1, 1),
                [
                    tokens, try binder.argument(automaton.given), classes, try binder.argument(automaton.arcs),
                    try binder.argument(automaton.moves), try binder.argument(automaton.ends),
                    try binder.argument(step),
                ] + results + [
                    masses, messages, rests, .int(padded), .int(length), .int(stateCount),
                    .int(automaton.drawnClassCount), .int32(automaton.start), .float32(temperature),
                    .int32(maskToken),
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
