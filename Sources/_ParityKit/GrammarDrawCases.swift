import ComputeCore

extension ParityCase {
    /// The candidates are equal but for near-ties.
    ///
    /// A confidence is a probability as in ``tokenDraw``, 64 units: the rounding of the sums over all completions cancels
    /// but for the last few positions. Below T = 1 the rounding of a logit grows as it is divided by T.
    static let grammarDraw: [ParityCase] = [
        (1, 1, 1, 4, 1.0, 1.0), (1, 6, 6, 15, 1.0, 1.0), (2, 20, 17, 37, 0.8, 1.0), (3, 65, 65, 190, 1.0, 0.9),
        (1, 128, 127, 190, 0, 1.0), (2, 257, 256, 282, 1.3, 0.45), (1, 64, 64, 166, 0.02, 1.0),
        (2, 96, 96, 40, 0.7, 0.02), (1, 2048, 2048, 190, 1.0, 1.0),
    ].map { grammarDraw(batch: $0, padded: $1, length: $2, ids: $3, temperature: $4, topP: $5) }

    static func grammarDraw(
        batch: Int, padded: Int, length: Int, ids: Int, temperature: Double, topP: Double
    ) -> ParityCase {
        let sizes = "B=\(batch) L=\(length) of \(padded) V=\(ids) T=\(temperature) p=\(topP)"
        return ParityCase("grammar_draw", sizes, tolerance: temperature > 0 ? 64 / min(temperature, 1) : 64) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let shape: Shape = [batch, padded]
            let mask = Int32(ids)
            var logits = values.normal(batch * padded * ids, spread: 2, outlier: 3)
            // The second position has equal logits, the fourth no distribution.
            if length > 3 {
                for id in 0..<ids { logits[ids + id] = 0.25 }
                logits[3 * ids + 1] = .nan
            }
            let pairs = try CountedPairs(ids: ids)
            let tokens = pairs.tokens(batch: batch, padded: padded, length: length, from: &values)
            let given = (0..<batch).flatMap { sample in
                pairs.automaton.givenClasses(
                    of: Array(tokens[sample * padded..<(sample + 1) * padded]), mask: mask)
            }
            let outputs = (
                candidates: instance.output("candidates", shape, .int32),
                confidence: instance.output("confidence", shape)
            )
            // Every position has a mark of an earlier draw inside its class, which this one replaces.
            let nearTies = try instance.input("nearTies", shape, [Int32](repeating: 1, count: batch * padded))
            try instance.plan.append(
                GrammarDraw(
                    logits: instance.input("logits", [batch, padded, ids], logits),
                    tokens: instance.input("tokens", shape, tokens),
                    automaton: instance.automaton(pairs.automaton, given: HostTensor(shape, given)),
                    step: instance.step(StepParameters(step: 7, firstSample: 2, seed: seeded.seed)),
                    temperature: Float(temperature), topP: Float(topP), length: length, maskToken: mask,
                    candidates: outputs.candidates, confidence: outputs.confidence, nearTies: nearTies))
            instance.leaveOpen(markedBy: nearTies) { marks in
                let moved = Set(marks.indices.filter { marks[$0] & 2 != 0 }.map { $0 / padded })
                return Set(
                    marks.indices.filter {
                        (marks[$0] != 0 && tokens[$0] == mask && $0 % padded < length) || moved.contains($0 / padded)
                    })
            }
            return instance
        }
    }
}

/// A language whose sequences are easy to make: any tokens `lone`, and pairs of an `opener` and a `closer`; never more
/// than three pairs without a lone one between; a pair is never cut by the end.
private struct CountedPairs {
    let automaton: TokenAutomaton
    private let ids: Int

    /// Ids 0 mod 3 are lone, 1 mod 3 openers and 2 mod 3 closers; every seventh is never drawn, given it counts as lone.
    init(ids: Int) throws(ValidationError) {
        self.ids = ids
        // State 0 is what a lone token needs, 1 … 3 lie inside a pair, 4 … 7 between pairs, behind 0 … 3 of them.
        automaton = try TokenAutomaton(
            classes: (0..<ids).map { $0 % 7 == 6 ? 0 : 1 + $0 % 3 },
            givenClasses: (0..<ids).map { $0 % 7 == 6 ? 1 : 1 + $0 % 3 },
            joiningClasses: (0..<ids).map { $0 % 7 == 6 ? 1 : 1 + $0 % 3 },
            arcs: [
                .init(on: 1, to: 4), .init(on: 3, to: 5), .init(on: 3, to: 6), .init(on: 3, to: 7),
                .init(on: 2, to: 1, otherwise: 0), .init(on: 2, to: 2, otherwise: 0), .init(on: 2, to: 3, otherwise: 0),
                .init(otherwise: 0),
            ],
            ends: [.never, .never, .never, .never, .always, .always, .always, .always], start: 4)
    }

    /// Sequences of the language, three quarters of their tokens masked, and so are all behind `length`.
    func tokens(batch: Int, padded: Int, length: Int, from values: inout SeededValues) -> [Int32] {
        let mask = Int32(ids)
        return (0..<batch).flatMap { _ -> [Int32] in
            let kinds = values.integers(length, in: 0..<4)
            let choices = values.integers(length, in: 0..<Int32(max(ids / 21, 1)))
            var (tokens, pairs) = ([Int32](), 0)
            while tokens.count < length {
                let choice = choices[tokens.count] * 21
                if kinds[tokens.count] == 0 || pairs == 3 || tokens.count == length - 1 || choice + 2 >= ids {
                    tokens.append(choice)
                    pairs = 0
                } else {
                    tokens += [choice + 1, choice + 2]
                    pairs += 1
                }
            }
            let open = values.integers(length, in: 0..<4)
            return zip(tokens, open).map { $1 > 0 ? mask : $0 } + [Int32](repeating: mask, count: padded - length)
        }
    }
}
