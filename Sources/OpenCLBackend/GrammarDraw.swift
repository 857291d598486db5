import ComputeCore
import OpenCLRuntime

extension GrammarDraw: OpenCLOperation {
    private var paddedIDs: Int { logits.shape[2].roundedUp(to: 16) }
    private var samples: Int { tokens.shape[0] }
    /// Doublings that reach the end of every chain of shared ways.
    private var rounds: Int { Int.bitWidth - (automaton.longestChain - 1).leadingZeroBitCount }

    func scratchBytes(on backend: OpenCLBackend, given _: RoundedTensors) throws(OpenCLError) -> [Int] {
        let positions = tokens.shape.elementCount
        let masses = positions * automaton.drawnClassCount
        let messages = (positions + 2 * samples) * stateCount.roundedUp(to: 16)
        // Where one work-item owns a sample, no chain is jumped along.
        let jumps = backend.path == .group ? samples * rounds * stateCount : 1
        return [positions * paddedIDs, masses, masses, messages, messages, jumps, positions].map { 4 * $0 }
    }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let positions = SIMD3(tokens.shape.elementCount, 1, 1)
        let scratch = binder.scratch.map { KernelArgument.buffer($0) }
        let (weights, masses, chains, rests) = (scratch[0], scratch[1...2], scratch[3...5], scratch[6])
        let (tokens, classes) = try (binder.argument(tokens), binder.argument(automaton.classes))
        let results = [
            try binder.argument(candidates), try binder.argument(confidence), try binder.argument(nearTies),
        ]
        let (padded, ids) = (logits.shape[1], logits.shape[2])
        let language = [
            try binder.argument(automaton.given), classes, try binder.argument(automaton.arcs),
            try binder.argument(automaton.moves),
        ]
        // All work-items wait for each other at every position: no more than have a state, or a way of one, if they can be as many.
        let adding = binder.group(atMost: min(1024, 2 * stateCount - 1))
        let drawing = binder.group(atMost: min(64, 2 * automaton.longestChain - 1))
        return [
            try binder.launch(
                KernelVariant(.grammarDraw, entry: "grammar_masses"), global: positions,
                [try binder.argument(logits), tokens, classes] + results + [weights] + masses + [
                    .int(padded), .int(length), .int(ids), .int(paddedIDs), .int(automaton.drawnClassCount),
                    .float32(temperature), .float32(topP), .int32(maskToken),
                ]),
            try binder.launch(
                KernelVariant(.grammarMessages, ["ITEMS": adding]),
                global: SIMD3(adding * samples, 1, 1), local: SIMD3(adding, 1, 1),
                [tokens] + language + [try binder.argument(automaton.ends)] + masses + chains + [
                    .int(padded), .int(length), .int(stateCount), .int(automaton.drawnClassCount), .int(rounds),
                    .float32(temperature), .int32(maskToken),
                ]),
            try binder.launch(
                KernelVariant(.grammarPath, ["ITEMS": drawing]),
                global: SIMD3(drawing * samples, 1, 1), local: SIMD3(drawing, 1, 1),
                [tokens] + language + [try binder.argument(step)] + results + masses + chains + [
                    rests, .int(padded), .int(length), .int(stateCount), .int(automaton.drawnClassCount), .int(rounds),
                    .int(automaton.longestChain.dividedRoundingUp(by: drawing)), .int32(automaton.start),
                    .float32(temperature), .int32(maskToken),
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
