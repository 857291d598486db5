import ComputeCore

extension ParityCase {
    /// The candidates are equal but for near-ties.
    ///
    /// A confidence is a probability as in ``tokenDraw``, 64 units: the rounding of the sums over all completions cancels
    /// but for the last few positions. Below T = 1 the rounding of a logit grows as it is divided by T.
    static let grammarDraw: [ParityCase] =
        [
            (1, 1, 1, 4, 1.0, 1.0), (1, 6, 6, 15, 1.0, 1.0), (2, 20, 17, 37, 0.8, 1.0), (3, 65, 65, 190, 1.0, 0.9),
            (1, 128, 127, 190, 0, 1.0), (2, 257, 256, 282, 1.3, 0.45), (1, 64, 64, 166, 0.02, 1.0),
            (2, 96, 96, 40, 0.7, 0.02), (1, 2048, 2048, 190, 1.0, 1.0),
        ].map { grammarDraw(batch: $0, padded: $1, length: $2, ids: $3, temperature: $4, topP: $5) }
        // The first of these has no id for the end of a run, so that most of its samples have no sequence of the language.
        + [
            (3, 20, 20, 7, 1.0, 1.0, 6), (2, 33, 33, 9, 1.0, 1.0, 2), (3, 130, 129, 190, 1.0, 1.0, 63),
            (2, 24, 24, 190, 0.8, 0.9, 64), (2, 60, 60, 282, 1.0, 1.0, 140), (2, 100, 100, 282, 0, 1.0, 140),
        ].map { grammarDraw(batch: $0, padded: $1, length: $2, ids: $3, temperature: $4, topP: $5, rungs: $6) }
        // By chance a draw comes near to a boundary once in thousands. Many samples, because only the first such draw
        // between the classes of a sample has a mark that every device has to set.
        + [
            grammarDraw(batch: 12, padded: 20, length: 19, ids: 63, temperature: 0, topP: 1, close: .ties),
            grammarDraw(batch: 8, padded: 12, length: 12, ids: 282, temperature: 0, topP: 1, rungs: 140, close: .ties),
            grammarDraw(batch: 12, padded: 8, length: 8, ids: 42, temperature: 1, topP: Closeness.topP, close: .bounds),
            grammarDraw(
                batch: 64, padded: 1, length: 1, ids: 14, temperature: 1, topP: 1, rungs: 1, close: .boundaries),
        ]

    /// With `rungs` the language is that of ladders, whose chains of shared ways are as long, else that of pairs.
    static func grammarDraw(
        batch: Int, padded: Int, length: Int, ids: Int, temperature: Double, topP: Double, rungs: Int? = nil,
        close: Closeness = .chance
    ) -> ParityCase {
        let sizes =
            "B=\(batch) L=\(length) of \(padded) V=\(ids) T=\(temperature) p=\(topP)"
            + (rungs.map { " rungs=\($0)" } ?? "") + close.suffix
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
            let language: any Language = try rungs.map { try Ladders(ids: ids, rungs: $0) } ?? CountedPairs(ids: ids)
            let step = StepParameters(step: 7, firstSample: 2, seed: seeded.seed)
            language.bringClose(&logits, [batch, padded, ids], length: length, step, close)
            let tokens = (0..<batch).flatMap { sample in
                // Three quarters of the tokens are masked, and so are all behind `length`. The last one of every fourth
                // sample is given, which may be where no drawn one may end.
                let sequence = language.sequence(length, from: &values)
                var open = values.integers(length, in: 0..<4)
                if sample % 4 == 1 { open[length - 1] = 0 }
                return zip(sequence, open).map { $1 > 0 ? mask : $0 }
                    + [Int32](repeating: mask, count: padded - length)
            }
            let drawn = (0..<batch).map { sample in
                (sample * padded..<sample * padded + length).filter { tokens[$0] == mask }
            }
            let given = (0..<batch).flatMap { sample in
                language.automaton.givenClasses(
                    of: Array(tokens[sample * padded..<(sample + 1) * padded]), mask: mask)
            }
            let outputs = (
                candidates: instance.output("candidates", shape, .int32),
                confidence: instance.output("confidence", shape)
            )
            // A draw replaces the mark of an earlier one inside its class; that of one between classes stays. It would
            // hide that this draw is as near, so only the last of a sample has one, which moves no other.
            var earlier = tokens.indices.map { Int32($0 % 4) }
            for (sample, indices) in drawn.enumerated() {
                for index in indices { earlier[index] = sample % 2 == 1 && index == indices.last ? 3 : 1 }
            }
            let nearTies = try instance.input("nearTies", shape, earlier)
            try instance.plan.append(
                GrammarDraw(
                    logits: instance.input("logits", [batch, padded, ids], logits),
                    tokens: instance.input("tokens", shape, tokens),
                    automaton: instance.automaton(language.automaton, given: HostTensor(shape, given)),
                    step: instance.step(step),
                    temperature: Float(temperature), topP: Float(topP), length: length, maskToken: mask,
                    candidates: outputs.candidates, confidence: outputs.confidence, nearTies: nearTies))
            instance.leaveOpen(markedBy: nearTies) { [earlier] marks in
                var open = ParityInstance.OpenDraws()
                for indices in drawn {
                    // The first draw near to one of another class moves those behind it, the bound of a top-p set any.
                    let first = indices.first { marks[$0] & 2 > earlier[$0] & 2 } ?? .max
                    let firstMoved = temperature > 0 && topP < 1 && first != .max ? 0 : first
                    for index in indices {
                        if marks[index] != 0 || index >= firstMoved { open.elements.insert(index) }
                        if index >= first { open.bits[index] = index == first || earlier[index] & 2 != 0 ? 1 : 3 }
                    }
                }
                return open
            }
            return instance
        }
    }
}

/// A language whose sequences are easy to make.
private protocol Language {
    var automaton: TokenAutomaton { get }
    /// Ids as far apart are of the same class.
    var period: Int { get }
    /// A row of logits under which sequences are equally probable.
    var tiedRow: [Float] { get }

    /// A sequence of the language.
    func sequence(_ length: Int, from values: inout SeededValues) -> [Int32]
}

extension Language {
    /// Sets rows of `logits` of a shape [samples, positions, ids].
    fileprivate func bringClose(
        _ logits: inout [Float], _ shape: Shape, length: Int, _ step: StepParameters, _ close: Closeness
    ) {
        let (batch, padded, ids) = (shape[0], shape[1], shape[2])
        for index in 0..<batch * padded where close != .chance {
            let (sample, position) = (index / padded, index % padded)
            let row = index * ids..<(index + 1) * ids
            // From sample to sample more rows are left as they are, up to half of them.
            let isBehind = position >= sample * length / (2 * batch)
            switch close {
            case .ties where isBehind: logits.replaceSubrange(row, with: tiedRow)
            case .ties where position % 2 == 1 && period < ids:
                for id in row.dropFirst(period) {
                    logits[id] = logits[row.lowerBound + (id - row.lowerBound) % period] - 0x1p-18
                }
            case .bounds where isBehind:
                logits.replaceSubrange(row, with: Closeness.row(atTopPOf: ids, areEqual: sample % 2 == 0))
            case .boundaries:
                let unit = Philox.unit(step.draw(.token, position: position, sample: sample))
                logits.replaceSubrange(
                    row,
                    with: Closeness.row(
                        of: ids, boundaryBeside: unit, isInClass: sample % 8 < 4, isNear: sample % 4 < 2))
            default: break
            }
        }
    }
}

/// Any tokens `lone`, and pairs of an `opener` and a `closer`; never more
/// than three pairs without a lone one between; a pair is never cut by the end.
private struct CountedPairs: Language {
    let automaton: TokenAutomaton
    let period = 21
    private let ids: Int
    var tiedRow: [Float] { [Float](repeating: 0.25, count: ids) }

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

    func sequence(_ length: Int, from values: inout SeededValues) -> [Int32] {
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
        return tokens
    }
}

/// Rising runs of `rungs` kinds of tokens, as chords of pitches are, and a token that ends a run, behind which the next begins
/// anywhere.
private struct Ladders: Language {
    let automaton: TokenAutomaton
    let period: Int
    private let ids: Int
    private let rungs: Int
    /// The end of a run, the last of the ways on, is less probable than those before it.
    var tiedRow: [Float] { (0..<ids).map { $0 % (rungs + 1) == rungs ? -0.75 : 0.25 } }

    /// Id i is on rung i modulo rungs + 1, the last of which ends the run; every seventh is never drawn, given it ends one.
    init(ids: Int, rungs: Int) throws(ValidationError) {
        self.ids = ids
        self.rungs = rungs
        period = 7 * (rungs + 1)
        let classes = (0..<ids).map { $0 % 7 == 6 ? 0 : 1 + $0 % (rungs + 1) }
        let given = classes.map { $0 == 0 ? rungs + 1 : $0 }
        // In state s the s highest rungs are open, and the end of the run. In two of three states inside a run only a
        // given token may be the last.
        automaton = try TokenAutomaton(
            classes: classes, givenClasses: given, joiningClasses: given,
            arcs: [.init(on: rungs + 1, to: rungs)]
                + (1...rungs).map { .init(on: rungs - $0 + 1, to: $0 - 1, otherwise: $0 - 1) },
            ends: (0...rungs).map { $0 % 3 == 0 || $0 == rungs ? .always : .behindGiven }, start: rungs)
    }

    func sequence(_ length: Int, from values: inout SeededValues) -> [Int32] {
        // Steps of up to a third of the ladder, and past its top the end.
        var rung: Int32 = -1
        return values.integers(length, in: 1..<Int32(rungs / 3 + 2)).map { step in
            rung = rung + step < rungs ? rung + step : Int32(rungs)
            defer { if rung == rungs { rung = -1 } }
            return rung
        }
    }
}
