import ComputeCore
import Foundation
import Testing

@Suite struct NoiseTests {
    private let mask: Int32 = 9
    private let step = StepParameters(step: 3, firstSample: 5, seed: 42, revealThreshold: 1 << 31, revealCount: 2)

    /// Probability 0 leaves a token as it is, probability 1 masks it.
    @Test func corruptionFollowsTheThreshold() throws {
        var run = SingleRun()
        let clean = [Int32](0..<8)
        let operation = try Corrupt(
            clean: run.integers("clean", [2, 4], clean),
            thresholds: run.integers("thresholds", [2, 4, 2], [0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1]),
            step: run.integers("step", StepParameters.shape, step.words), maskToken: mask,
            noisy: run.output("noisy", [2, 4], .int32))
        #expect(try run.integerResults(of: operation)("noisy") == [0, mask, 2, 3, mask, mask, 6, mask])
    }

    /// A draw is named by position, step, sample and purpose, and compared with the threshold.
    ///
    /// One position of each
    /// sample is no longer masked, and the last one lies beyond the length.
    @Test func independentRevealsAreTheirDraws() throws {
        var run = SingleRun()
        let (count, kept) = (24, 7)
        let tokens = (0..<2 * count).map { $0 % count == kept ? 1 : mask }
        let operation = try Reveal(
            tokens: run.integers("tokens", [2, count], tokens),
            candidates: run.integers("candidates", [2, count], [Int32](repeating: 2, count: 2 * count)),
            step: run.integers("step", StepParameters.shape, step.words), rule: .independent, length: count - 1,
            maskToken: mask)
        let found = try run.integerResults(of: operation)("tokens")
        let expected = tokens.enumerated().map { index, token in
            let (sample, position) = (index / count, index % count)
            let draw = Philox.draw(
                seed: 42, purpose: .reveal, position: UInt32(position), step: 3, sample: UInt32(5 + sample))
            return token == mask && position < count - 1 && UInt64(draw) < 1 << 31 ? 2 : token
        }
        #expect(found == expected)
        #expect((8...36).contains(found.count { $0 == 2 }), "about half of 44")
    }

    @Test func scheduledRevealsAreThoseOfTheStep() throws {
        var run = SingleRun()
        let times = try run.integers("times", [1, 5], [3, 2, 3, 4, 3])
        let operation = try Reveal(
            tokens: run.integers("tokens", [1, 5], [mask, mask, 1, mask, mask]),
            candidates: run.integers("candidates", [1, 5], [4, 5, 6, 7, 8]),
            step: run.integers("step", StepParameters.shape, step.words), rule: .scheduled(times), length: 4,
            maskToken: mask)
        #expect(try run.integerResults(of: operation)("tokens") == [4, mask, 1, mask, mask])
    }

    /// Two of the highest confidence, the lowest position of equals; what is not masked does not count.
    @Test func confidentRevealsAreTheGreatest() throws {
        var run = SingleRun()
        let confidence = try run.floats("confidence", [1, 6], [0.5, 0.25, 0.5, 1, 0.5, 0.9])
        let operation = try Reveal(
            tokens: run.integers("tokens", [1, 6], [mask, mask, mask, 1, mask, mask]),
            candidates: run.integers("candidates", [1, 6], [2, 3, 4, 5, 6, 7]),
            step: run.integers("step", StepParameters.shape, step.words), rule: .confidence(confidence), length: 5,
            maskToken: mask)
        #expect(try run.integerResults(of: operation)("tokens") == [2, mask, 4, 1, mask, mask])
    }
}

@Suite struct TokenDrawTests {
    private let mask: Int32 = 4

    /// Candidates and confidences of masked positions under given logits.
    private func draw(
        _ logits: [Float], allowed: [Int32] = [1, 1, 1, 1], temperature: Float, topP: Float = 1, seed: UInt64 = 1,
        tokens: [Int32]? = nil
    ) throws -> (candidates: [Int32], confidence: [Float]) {
        var run = SingleRun()
        let count = logits.count / 4
        let operation = try TokenDraw(
            logits: run.floats("logits", [1, count, 4], logits),
            tokens: run.integers("tokens", [1, count], tokens ?? [Int32](repeating: mask, count: count)),
            allowed: run.integers("allowed", [4], allowed),
            step: run.integers("step", StepParameters.shape, StepParameters(step: 0, seed: seed).words),
            temperature: temperature, topP: topP, maskToken: mask,
            candidates: run.output("candidates", [1, count], .int32), confidence: run.output("confidence", [1, count]),
            nearTies: run.integers("nearTies", [1, count], [Int32](repeating: 0, count: count)))
        var copy = run
        return (
            try run.integerResults(of: operation)("candidates"), try copy.results(of: operation)("confidence")
        )
    }

    @Test func temperatureZeroIsTheLowestOfTheGreatest() throws {
        let logits: [Float] = [1, 3, 3, 2, 5, 5, 0, 5, -1, -2, -.infinity, -3]
        #expect(try draw(logits, temperature: 0).candidates == [1, 0, 0])
        #expect(try draw(logits, allowed: [0, 0, 1, 1], temperature: 0).candidates == [2, 3, 3])
    }

    @Test func nothingButNumbersBecomesAToken() throws {
        let logits: [Float] = [
            .nan, 1, 1, 1, .infinity, 1, 1, 1, -.infinity, -.infinity, -.infinity, -.infinity, 1, 2, 3, 4,
        ]
        for temperature in [Float(0), 1] {
            let result = try draw(logits, temperature: temperature, tokens: [mask, mask, mask, 2])
            #expect(result.candidates == [mask, mask, mask, 2])
            #expect(result.confidence == [0, 0, 0, 1])
        }
        #expect(try draw([1, 2, 3, 4], allowed: [0, 0, 0, 0], temperature: 1).candidates == [mask])
    }

    /// Probabilities 1/2, 1/4, 1/8, 1/8: the inverse of the cumulative distribution, at the draw's own number.
    @Test(arguments: 0..<20)
    func candidatesInvertTheDistribution(_ seed: Int) throws {
        let logits: [Float] = [0.5, 0.25, 0.125, 0.125].map { Float(log2(Double($0)) * 0.6931471805599453) }
        let u = Philox.unit(Philox.draw(seed: UInt64(seed), purpose: .token, position: 0))
        let expected: Int32 = u < 0.5 ? 0 : u < 0.75 ? 1 : u < 0.875 ? 2 : 3
        let result = try draw(logits, temperature: 1, seed: UInt64(seed))
        #expect(result.candidates == [expected])
        #expect(abs(result.confidence[0] - [0.5, 0.25, 0.125, 0.125][Int(expected)]) < 1e-6)
        // Of 1/2, 1/4, … the smallest set that reaches 0.7 is the first two: 2/3 and 1/3.
        #expect(try draw(logits, temperature: 1, topP: 0.7, seed: UInt64(seed)).candidates == [u < 2.0 / 3 ? 0 : 1])
        #expect(try draw(logits, temperature: 1, topP: 0.4, seed: UInt64(seed)).candidates == [0])
    }
}
