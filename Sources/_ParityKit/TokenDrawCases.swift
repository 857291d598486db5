import ComputeCore

extension ParityCase {
    /// The probability of a token is an exponential over a sum of V of them: 64 units. The candidates are equal but for
    /// near-ties.
    static let tokenDraw: [ParityCase] =
        [
            (1, 1, 1, 1.0, 1.0), (1, 8, 15, 1.0, 1.0), (2, 17, 37, 0.8, 1.0), (3, 65, 190, 1.0, 0.9),
            (1, 128, 190, 0, 1.0),
            (1, 257, 282, 1.3, 0.45), (2, 64, 166, 0.7, 0.05),
            // So many ids that ten draws come near a boundary.
            (1, 512, 1000, 1.0, 1.0),
            // Where the most probable id is taken, p is of no matter.
            (2, 64, 37, 0, 0.9),
        ].map { tokenDraw(batch: $0, length: $1, ids: $2, temperature: $3, topP: $4) }
        + [tokenDraw(batch: 2, length: 24, ids: 42, temperature: 1, topP: Closeness.topP, close: .bounds)]

    /// At temperature 0 three in four positions have another id beside the most probable one.
    static func tokenDraw(
        batch: Int, length: Int, ids: Int, temperature: Double, topP: Double, close: Closeness = .chance
    ) -> ParityCase {
        let sizes = "B=\(batch) L=\(length) V=\(ids) T=\(temperature) p=\(topP)" + close.suffix
        return ParityCase("token_draw", sizes, tolerance: 64) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let shape: Shape = [batch, length]
            let mask = Int32(ids)
            var logits = values.normal(batch * length * ids, spread: 2, outlier: 3)
            // Where there is room, the second position has equal logits and a few after it no distribution.
            let tokens = values.integers(batch * length, in: 0..<4).map { $0 == 0 ? Int32(0) : mask }
            if length > 2 {
                for id in 0..<ids { logits[ids + id] = 0.25 }
                for position in 2..<min(length, 7) { logits[position * ids] = .nan }
            }
            let allowed = (0..<ids).map { Int32($0 % 7 == 3 ? 0 : 1) }
            for index in 0..<batch * length where index % length >= 7 {
                let row = index * ids..<(index + 1) * ids
                if close == .bounds {
                    logits.replaceSubrange(row, with: Closeness.row(atTopPOf: ids, areEqual: index % 2 == 0))
                } else if temperature == 0 {
                    bringClose(&logits[row], kind: index % 4, allowed)
                }
            }
            let tensors = (
                candidates: instance.output("candidates", shape, .int32),
                confidence: instance.output("confidence", shape)
            )
            // Every position has a mark of an earlier draw, which this one replaces.
            let nearTies = try instance.input("nearTies", shape, [Int32](repeating: 1, count: batch * length))
            // The greatest of the logits, which are the case's own, is the same on every device.
            instance.leaveOpen(markedBy: nearTies) { marks in
                ParityInstance.OpenDraws(
                    elements: Set(marks.indices.filter { temperature > 0 && marks[$0] != 0 && tokens[$0] == mask }))
            }
            try instance.plan.append(
                TokenDraw(
                    logits: instance.input("logits", [batch, length, ids], logits),
                    tokens: instance.input("tokens", shape, tokens),
                    allowed: instance.input("allowed", [ids], allowed),
                    step: instance.step(StepParameters(step: 7, firstSample: 2, seed: seeded.seed)),
                    temperature: Float(temperature), topP: Float(topP), maskToken: mask,
                    candidates: tensors.candidates, confidence: tensors.confidence,
                    nearTies: nearTies))
            return instance
        }
    }
}

/// Puts the first and the last id that may be drawn above all others: equal, or one below the other by so little that
/// there is a mark, or by just too much.
private func bringClose(_ row: inout ArraySlice<Float>, kind: Int, _ allowed: [Int32]) {
    guard kind > 0, let first = allowed.firstIndex(of: 1), let last = allowed.lastIndex(of: 1), first < last else {
        return
    }
    let below: [Float] = [0, 0x1p-17, 0x1p-16]
    let isFirstGreater = (row.startIndex / row.count) % 8 < 4
    row[row.startIndex + first] = isFirstGreater ? 32 : 32 - below[kind - 1]
    row[row.startIndex + last] = isFirstGreater ? 32 - below[kind - 1] : 32
    // An id that is not drawn is beside nothing.
    if kind == 3, let other = allowed.firstIndex(of: 0) { row[row.startIndex + other] = 32 }
}
