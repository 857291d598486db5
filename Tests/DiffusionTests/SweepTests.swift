import ComputeCore
import Diffusion
import ReferenceBackend
import Testing

@Suite struct SweepTests {
    @Test(arguments: [0, 0.3, 0.7, 0.99], [0, 0.2, 0.5, 1])
    func maskProbabilityIsTheShareOfLaterTimes(_ strength: Double, _ place: Double) throws {
        let sweep = try Sweep(strength: strength)
        let times = (1...10_000).map { sweep.revealTime(place: place, uniform: Double($0) / 10_000) }
        #expect(times.allSatisfy { 0 < $0 && $0 <= 1 })
        for time in [0, 0.1, 0.35, 0.8, 1] {
            let share = Double(times.count { $0 <= time }) / 10_000
            #expect(abs(sweep.maskProbability(place: place, time: time) - share) <= 1e-4 + 1e-12)
        }
    }

    @Test func withoutStrengthThePlaceIsOfNoMatter() throws {
        let sweep = try Sweep(strength: 0)
        for place in [0, 0.5, 1] {
            #expect(sweep.revealTime(place: place, uniform: 0.3) == 0.3)
            #expect(sweep.maskProbability(place: place, time: 0.3) == 0.3)
        }
    }

    @Test(arguments: [1, -0.1, .nan, .infinity]) func otherStrengthsAreRefused(_ strength: Double) {
        #expect(throws: SamplingError.self) { try Sweep(strength: strength) }
    }

    @Test(arguments: [SamplingOptions.Order.ancestral, .confidence])
    func otherOrdersHaveNoSweep(_ order: SamplingOptions.Order) throws {
        #expect(
            throws: SamplingError.option(
                name: "sweep", expected: "0 for the order \(order), or the order scheduled", found: "0.5")
        ) {
            try SamplingOptions(grid: TimeGrid(stepCount: 4), order: order, sweep: Sweep(strength: 0.5), seed: 1)
        }
    }

    /// The network says 1 where the token on the left is known. Above L / (L + 1) each position waits for the one before it,
    /// also where only some are to be drawn.
    @Test func strongSweepGoesFromLeftToRight() throws {
        let masked = [Int32](repeating: 2, count: 40)
        #expect(try tokens(behind: masked, strength: 0.98) == [0] + [Int32](repeating: 1, count: 39))
        var gap = masked
        gap.replaceSubrange(10..<20, with: repeatElement(0, count: 10))
        #expect(
            try tokens(behind: gap, strength: 0.98)
                == [0] + [Int32](repeating: 1, count: 9) + [Int32](repeating: 0, count: 10)
                + [Int32](repeating: 1, count: 20))
        #expect((10...30).contains(try tokens(behind: masked, strength: 0).count { $0 == 1 }))
    }

    private func tokens(behind initial: [Int32], strength: Double) throws -> [Int32] {
        let backend = ReferenceBackend()
        let sources = try [
            ParameterSource(ParameterKey("known"), .plain, [3, 2], [0, 1, 0, 1, 0, -1]),
            ParameterSource(ParameterKey("left"), .plain, [2, 1, 2], [0, 0, 1, 0]),
            ParameterSource(ParameterKey("bias"), .plain, [2], [0, 0]),
        ]
        let parameters = try backend.prepare(sources)
        let options = try SamplingOptions(
            grid: TimeGrid(stepCount: 100_000), sweep: Sweep(strength: strength), temperature: 0, seed: 3)
        let batch = ReverseChain.Batch(
            count: 1, length: initial.count, paddedLength: initial.count, vocabularySize: 2)
        let chain = try ReverseChain(
            batch, options: options, allowed: [true, true], on: backend, parameters: parameters
        ) { tokens, plan in
            let weights = sources.map { plan.parameter($0.key, $0.shape, $0.layout) }
            let known = plan.intermediate([1, initial.count, 2])
            try plan.append(Embedding(tokens: tokens, table: weights[0], output: known))
            let logits = plan.intermediate([1, initial.count, 2])
            try plan.append(
                CausalConvolution(input: known.matrix, weight: weights[1], bias: weights[2], output: logits))
            return logits
        }
        return try chain.run(from: [initial]).tokens[0]
    }
}
