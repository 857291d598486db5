import ComputeCore
import Diffusion
import ReferenceBackend
import Testing

@Suite struct ConfidenceOrderTests {
    /// The two ids in one class, and in two; without classes they are drawn by themselves.
    private static let languages: [[Int]?] = [nil, [1, 1], [1, 2]]

    /// The second position is surer of id 1 than the first, until that is known: then it prefers id 0.
    ///
    /// At temperature 0 too, though what is drawn is certain there.
    @Test(arguments: languages) func theSurerPositionIsRevealedFirst(_ classes: [Int]?) throws {
        let automaton = try classes.map {
            try TokenAutomaton(
                classes: $0, arcs: [.init(on: $0[1], to: 1), .init(on: $0[0] == $0[1] ? 0 : 1, to: 1, otherwise: 0)],
                ends: [.always, .always], start: 1)
        }
        #expect(try tokens(under: automaton) == [1, 1])
    }

    private func tokens(under constraint: TokenAutomaton?) throws -> [Int32] {
        let sources = try [
            ParameterSource(ParameterKey("known"), .plain, [3, 2], [10, 0, 10, 0, 0, 0]),
            ParameterSource(ParameterKey("left"), .plain, [2, 1, 2], [1, 0, 0, 0]),
            ParameterSource(ParameterKey("bias"), .plain, [2], [0, 0]),
            ParameterSource(ParameterKey("logits"), .plain, [1, 2, 2], [0, 1, 0, 5]),
        ]
        let backend = ReferenceBackend()
        let options = try SamplingOptions(
            grid: TimeGrid(stepCount: 2), order: .confidence, temperature: 0, seed: 3)
        let chain = try ReverseChain(
            ReverseChain.Batch(count: 1, length: 2, paddedLength: 2, vocabularySize: 2), options: options,
            allowed: [true, true], constraint: constraint, on: backend, parameters: backend.prepare(sources)
        ) { tokens, plan in
            let weights = sources.map { plan.parameter($0.key, $0.shape, $0.layout) }
            let known = plan.intermediate([1, 2, 2])
            try plan.append(Embedding(tokens: tokens, table: weights[0], output: known))
            let logits = plan.intermediate([1, 2, 2])
            try plan.append(
                CausalConvolution(input: known.matrix, weight: weights[1], bias: weights[2], output: logits))
            try plan.append(CopyRows(source: weights[3].matrix, target: logits.matrix, accumulates: true))
            return logits
        }
        let result = try chain.run(from: [[2, 2]])
        #expect(result.networkCalls == 2)
        return result.tokens[0]
    }
}
