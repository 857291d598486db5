import ComputeCore
import Diffusion
import Foundation
import ReferenceBackend
import Testing

/// Chains whose network is a table: the same logits whatever the tokens are, so that every law has a closed form.
private struct TableChain {
    let length: Int
    let logits: [Float]
    var vocabularySize: Int { logits.count }

    func chain(
        count: Int, options: SamplingOptions, allowed: [Bool]? = nil, padding: Int = 0
    ) throws -> ReverseChain {
        let padded = length + padding
        let backend = ReferenceBackend()
        let shape: Shape = [count, padded, vocabularySize]
        let values = (0..<count * padded).flatMap { _ in logits }
        let parameters = try backend.prepare([ParameterSource(ParameterKey("logits"), .plain, shape, values)])
        return try ReverseChain(
            ReverseChain.Batch(
                count: count, length: length, paddedLength: padded, vocabularySize: vocabularySize),
            options: options, allowed: allowed ?? logits.map { _ in true }, on: backend, parameters: parameters
        ) { _, plan in plan.parameter(ParameterKey("logits"), shape, .plain) }
    }

    var masked: [Int32] { [Int32](repeating: Int32(vocabularySize), count: length) }
}

@Suite struct ReverseChainTests {
    private static let table = TableChain(length: 4000, logits: [0, 1, -1, 0.5, 2])

    private static func options(
        _ order: SamplingOptions.Order, steps: Int = 8, temperature: Float = 1, topP: Float = 1, seed: UInt64 = 11
    ) throws -> SamplingOptions {
        try SamplingOptions(
            grid: TimeGrid(stepCount: steps), order: order, temperature: temperature, topP: topP, seed: seed)
    }

    /// Σ (observed − expected)² / expected over the ids.
    private static func chiSquare(_ tokens: [Int32], _ probabilities: [Double]) -> Double {
        probabilities.enumerated().reduce(0) { sum, entry in
            let expected = entry.element * Double(tokens.count)
            let observed = Double(tokens.count { $0 == Int32(entry.offset) })
            return sum
                + (expected > 0
                    ? (observed - expected) * (observed - expected) / expected : observed > 0 ? .infinity : 0)
        }
    }

    /// Draws count samples in 31 bits.
    @Test(arguments: [-1, Int(Int32.max), .max]) func samplesThatCannotBeCountedAreNamed(_ first: Int) throws {
        let table = TableChain(length: 2, logits: [0, 1])
        let chain = try table.chain(count: 2, options: Self.options(.scheduled))
        #expect(
            throws: SamplingError.option(
                name: "first-sample", expected: "0 to 2147483646 for 2 samples", found: "\(first)")
        ) { try chain.run(from: [table.masked, table.masked], firstSample: first) }
    }

    /// 18.5 is the 0.999 quantile of χ² with four degrees of freedom. Confidence-first draws anew until a token is
    /// confident, which favours the probable ones and is no sample of the softmax.
    @Test(arguments: [SamplingOptions.Order.scheduled, .ancestral]) func tokensFollowTheSoftmax(
        _ order: SamplingOptions.Order
    ) throws {
        let result = try Self.table.chain(count: 1, options: Self.options(order)).run(from: [Self.table.masked])
        let weights = Self.table.logits.map { exp(Double($0)) }
        let sum = weights.reduce(0, +)
        #expect(Self.chiSquare(result.tokens[0], weights.map { $0 / sum }) < 18.5)
    }

    @Test func temperatureComesBeforeTopP() throws {
        let options = try Self.options(.scheduled, temperature: 0.5, topP: 0.9)
        let result = try Self.table.chain(count: 1, options: options).run(from: [Self.table.masked])
        // At temperature ½ the probabilities of ids 4 and 1 are 0.8 and 0.11: together the first to reach 0.9.
        let weights = Self.table.logits.map { exp(2 * Double($0)) }
        let kept = weights[4] + weights[1]
        #expect(Self.chiSquare(result.tokens[0], [0, weights[1] / kept, 0, 0, weights[4] / kept]) < 10.8)
    }

    @Test func temperatureZeroTakesTheLowestOfTheMostProbable() throws {
        let table = TableChain(length: 50, logits: [1, 3, 0, 3])
        let result = try table.chain(count: 1, options: Self.options(.scheduled, temperature: 0)).run(from: [
            table.masked
        ])
        #expect(result.tokens[0].allSatisfy { $0 == 1 })
    }

    @Test(arguments: SamplingOptions.Order.allCases)
    func whatIsGivenStaysAndWhatIsForbiddenNeverComes(_ order: SamplingOptions.Order) throws {
        let table = TableChain(length: 300, logits: [0, 1, -1, 0.5, 2])
        var initial = table.masked
        for position in stride(from: 0, to: 300, by: 3) { initial[position] = 4 }
        let allowed = [true, true, false, true, false]
        let result = try table.chain(count: 2, options: Self.options(order), allowed: allowed, padding: 4)
            .run(from: [initial, initial])
        for tokens in result.tokens {
            #expect(tokens.count == 300)
            for (position, token) in tokens.enumerated() {
                #expect(position % 3 == 0 ? token == 4 : [0, 1, 3].contains(token))
            }
        }
        #expect(result.tokens[0] != result.tokens[1])
    }

    @Test(arguments: SamplingOptions.Order.allCases)
    func sampleIsTheSameAloneAndInABatch(_ order: SamplingOptions.Order) throws {
        let table = TableChain(length: 200, logits: [0, 1, -1, 0.5, 2])
        let options = try Self.options(order, seed: 1 << 40 + 7)
        let together = try table.chain(count: 3, options: options).run(from: [table.masked, table.masked, table.masked])
        let chain = try table.chain(count: 1, options: options)
        for sample in 0..<3 {
            #expect(try chain.run(from: [table.masked], firstSample: sample).tokens[0] == together.tokens[sample])
        }
        #expect(try chain.run(from: [table.masked], seed: 5).tokens[0] != together.tokens[0])
    }

    /// With far more steps than positions, only the steps that reveal something are run.
    @Test func scheduledChainNeverRunsAnEmptyStep() throws {
        let table = TableChain(length: 20, logits: [0, 1])
        let result = try table.chain(count: 1, options: Self.options(.scheduled, steps: 10_000)).run(from: [
            table.masked
        ])
        #expect((15...20).contains(result.networkCalls))
        let complete = try table.chain(count: 1, options: Self.options(.scheduled)).run(from: [
            [Int32](repeating: 1, count: 20)
        ])
        #expect(complete.networkCalls == 0)
    }

    @Test(arguments: [SamplingOptions.Order.scheduled, .ancestral])
    func progressCountsTheStepsThatRan(_ order: SamplingOptions.Order) throws {
        let chain = try Self.table.chain(count: 1, options: Self.options(order, steps: 4))
        var calls: [[Int]] = []
        _ = try chain.run(from: [Self.table.masked]) { calls.append([$0, $1]) }
        #expect(calls == [[1, 4], [2, 4], [3, 4], [4, 4]])
    }

    @Test func badSequencesAreNamed() throws {
        let table = TableChain(length: 5, logits: [0, 1])
        let chain = try table.chain(count: 1, options: Self.options(.scheduled))
        #expect(throws: SamplingError.sequenceLength(sample: 0, expected: 5, found: 4)) {
            try chain.run(from: [[2, 2, 2, 2]])
        }
        #expect(throws: SamplingError.tokenOutOfRange(sample: 0, position: 1, token: 3, vocabularySize: 2)) {
            try chain.run(from: [[2, 3, 2, 2, 2]])
        }
        #expect(throws: SamplingError.nothingAllowed) {
            try table.chain(count: 1, options: Self.options(.scheduled), allowed: [false, false])
        }
    }

    @Test func brokenLogitsAreAnErrorAndNeverAToken() throws {
        let table = TableChain(length: 5, logits: [0, .nan])
        #expect(throws: SamplingError.undefinedDistribution(sample: 0, position: 0)) {
            try table.chain(count: 1, options: Self.options(.scheduled)).run(from: [table.masked])
        }
    }
}
