import ComputeCore
import Diffusion
import Foundation
import ReferenceBackend
import Testing

/// Pairs of an opener (0) and a closer (1), and lone tokens (2, 3).
///
/// Never more than two pairs stand without a lone token between.
/// Id 4 is never drawn; given, it is a lone token.
private enum Pairs {
    static let mask: Int32 = 5
    static let length = 6

    static let automaton = Result {
        try TokenAutomaton(
            classes: [2, 3, 1, 1, 0], givenClasses: [2, 3, 1, 1, 1], joiningClasses: [2, 3, 1, 1, 1],
            arcs: [
                .init(on: 1, to: 3), .init(on: 3, to: 4), .init(on: 3, to: 5), .init(on: 2, to: 1, otherwise: 0),
                .init(on: 2, to: 2, otherwise: 0), .init(otherwise: 0),
            ],
            ends: [.never, .never, .never, .always, .always, .always], start: 3)
    }

    /// Logits [L, V] that differ from position to position; a table in the place of the network.
    static let logits: [Float] = (0..<length * 5).map { Float(($0 * 37 + 11) % 17) / 6 - 1 }

    static func chain(
        count: Int, steps: Int, order: SamplingOptions.Order = .scheduled, temperature: Float = 1, topP: Float = 1,
        logits: [Float] = logits
    ) throws -> ReverseChain {
        let backend = ReferenceBackend()
        let shape: Shape = [count, length, 5]
        let values = (0..<count).flatMap { _ in logits }
        let parameters = try backend.prepare([ParameterSource(ParameterKey("logits"), .plain, shape, values)])
        let options = try SamplingOptions(
            grid: TimeGrid(stepCount: steps), order: order, temperature: temperature, topP: topP, seed: 21)
        return try ReverseChain(
            ReverseChain.Batch(count: count, length: length, paddedLength: length, vocabularySize: 5), options: options,
            allowed: [Bool](repeating: true, count: 5), constraint: automaton.get(), on: backend, parameters: parameters
        ) { _, plan in plan.parameter(ParameterKey("logits"), shape, .plain) }
    }

    /// Every well-formed sequence that agrees with `initial`, and the probability of each.
    static func enumerated(_ initial: [Int32]) throws -> [[Int32]: Double] {
        let automaton = try automaton.get()
        let sequences = initial.reduce([[Int32]]()) { shorter, token in
            let choices = token == mask ? Array(0..<4) : [token]
            return shorter.isEmpty ? choices.map { [$0] } : shorter.flatMap { prefix in choices.map { prefix + [$0] } }
        }
        var weights: [[Int32]: Double] = [:]
        for sequence in sequences where automaton.admits(sequence) {
            weights[sequence] = sequence.enumerated().reduce(1) { product, entry in
                product * exp(Double(logits[entry.offset * 5 + Int(entry.element)]))
            }
        }
        let sum = weights.values.reduce(0, +)
        return weights.mapValues { $0 / sum }
    }
}

@Suite struct ConstrainedChainTests {
    /// What a step reveals is a part of a sample of the whole, so that the law is the same for any number of steps.
    @Test(arguments: [1, 3]) func drawsFollowTheEnumeratedLaw(_ steps: Int) throws {
        let initial: [Int32] = [5, 5, 5, 2, 5, 5]
        let expected = try Pairs.enumerated(initial)
        let count = 8000
        let result = try Pairs.chain(count: count, steps: steps).run(from: [[Int32]](repeating: initial, count: count))
        var observed: [[Int32]: Int] = [:]
        for tokens in result.tokens { observed[tokens, default: 0] += 1 }
        #expect(Set(observed.keys).isSubset(of: expected.keys))
        let chiSquare = expected.reduce(0) { sum, entry in
            let wanted = entry.value * Double(count)
            let difference = Double(observed[entry.key] ?? 0) - wanted
            return sum + difference * difference / wanted
        }
        // The 0.999 quantile of χ² by Wilson and Hilferty.
        let freedom = Double(expected.count - 1)
        let quantile = freedom * pow(1 - 2 / (9 * freedom) + 3.09 * (2 / (9 * freedom)).squareRoot(), 3)
        #expect(expected.count > 20)
        #expect(chiSquare < quantile, "χ² \(chiSquare) of \(quantile)")
    }

    @Test(arguments: SamplingOptions.Order.allCases, [1, 2, 6])
    func whatComesOutIsWellFormed(_ order: SamplingOptions.Order, _ steps: Int) throws {
        let initial: [Int32] = [5, 1, 5, 5, 4, 5]
        let result = try Pairs.chain(count: 200, steps: steps, order: order)
            .run(from: [[Int32]](repeating: initial, count: 200))
        for tokens in result.tokens {
            #expect(tokens[1] == 1 && tokens[4] == 4)
            // The given 4 stands for a lone token.
            let automaton = try Pairs.automaton.get()
            #expect(automaton.admits(tokens.map { $0 == 4 ? 2 : $0 }), "\(tokens)")
        }
        #expect(Set(result.tokens).count > 3)
    }

    @Test func temperatureZeroTakesTheMostProbableSequence() throws {
        let initial = [Int32](repeating: Pairs.mask, count: Pairs.length)
        let best = try Pairs.enumerated(initial).max { $0.value < $1.value }
        let result = try Pairs.chain(count: 1, steps: 1, temperature: 0).run(from: [initial])
        #expect(result.tokens[0] == best?.key)
    }

    @Test func whereTopPLeavesNothingAsFewTokensAsPossibleComeFromOutside() throws {
        // Every set has the opener alone; a closer after each is the least that must be added.
        let logits = (0..<Pairs.length).flatMap { _ -> [Float] in [9, 1, 0, 0, 0] }
        let initial = [Int32](repeating: Pairs.mask, count: Pairs.length)
        let result = try Pairs.chain(count: 300, steps: 1, topP: 0.5, logits: logits)
            .run(from: [[Int32]](repeating: initial, count: 300))
        for tokens in result.tokens { #expect(tokens.count { $0 != 0 } == 4, "\(tokens)") }
        // Two pairs and two lone tokens, which cannot stand together before or behind both pairs alone.
        #expect(Set(result.tokens).count > 3)
    }

    @Test func contradictionsAreNamedBeforeTheFirstStep() throws {
        // A third pair has to be opened where a lone token must come first.
        var steps = 0
        #expect(throws: InfeasibleSequence(open: 4..<5, possible: [2])) {
            try Pairs.chain(count: 1, steps: 4).run(from: [[0, 1, 0, 1, 5, 1]]) { _, _ in steps += 1 }
        }
        #expect(steps == 0)
        #expect(try Pairs.chain(count: 1, steps: 4).run(from: [[2, 0, 5, 5, 1, 2]]).tokens[0] == [2, 0, 1, 0, 1, 2])
    }

    @Test func aPositionWithoutADistributionIsNamed() throws {
        var logits = Pairs.logits
        logits[3 * 5 + 1] = .nan
        let initial = [Int32](repeating: Pairs.mask, count: Pairs.length)
        #expect(throws: SamplingError.undefinedDistribution(sample: 0, position: 3)) {
            try Pairs.chain(count: 1, steps: 1, logits: logits).run(from: [initial])
        }
    }
}
