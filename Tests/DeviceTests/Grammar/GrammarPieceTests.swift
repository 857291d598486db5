import ComputeCore
import Diffusion
import Foundation
import Music
import OpenCLBackend
import SMDIM
import Testing
import _ParityKit
import _TestSupport

/// Pieces of 2048 tokens from an untrained model, which knows nothing of the grammar.
private enum UntrainedModel {
    static let piecesPerTest = 10
    static let length = 2048
    static let tokenizer = REMITokenizer()

    /// Pieces `first` … `first` + 9.
    static func pieces(first: Int, steps: Int, constraint: TokenAutomaton?) throws -> [[Int]] {
        let vocabulary = tokenizer.vocabulary
        let configuration = ModelConfiguration(.tiny, vocabularySize: vocabulary.count)
        let backend = try TestDevice.backend()
        let specials = vocabulary.specialIDs
        let padding = constraint == nil ? nil : vocabulary.id(of: .pad)
        let chain = try ReverseChain(
            ReverseChain.Batch(
                count: piecesPerTest, length: length, paddedLength: length, vocabularySize: vocabulary.count),
            options: SamplingOptions(grid: TimeGrid(stepCount: steps), seed: 77, firstSample: first),
            allowed: vocabulary.tokens.indices.map { !specials.contains($0) || $0 == padding },
            constraint: constraint, on: backend, parameters: backend.prepare(configuration.initialWeights(seed: 5))
        ) { tokens, plan in try TokenDenoiser(configuration).record(tokens, into: &plan).logits }
        let masked = [Int32](repeating: configuration.maskToken, count: length)
        return try chain.run(from: [[Int32]](repeating: masked, count: piecesPerTest)).tokens.map { $0.map(Int.init) }
    }
}

extension OnDevice {
    @Suite struct GrammarPieces {
        @Test(arguments: Soak.tests(of: UntrainedModel.piecesPerTest), [1, 8, 64])
        func keepToGrammarAndOptions(_ test: Int, _ steps: Int) throws {
            let options = GrammarOptions(pitches: 36...96, largestChord: 6, scale: .cMajor)
            let automaton = try REMIGrammar(UntrainedModel.tokenizer, options: options).automaton
            let first = test * UntrainedModel.piecesPerTest
            let pieces = try UntrainedModel.pieces(first: first, steps: steps, constraint: automaton)
            try Soak.keep(pieces, as: "grammar-\(steps)", first: first)
            for (index, ids) in pieces.enumerated() {
                #expect(UntrainedModel.tokenizer.tokenOrder(of: ids).errors == 0, "piece \(first + index)")
                #expect(ids.first == UntrainedModel.tokenizer.vocabulary.id(of: .bar))
                let bar = UntrainedModel.tokenizer.vocabulary.id(of: .bar)
                #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 != bar || $1 != bar }, "every bar has notes")
                let notes = UntrainedModel.tokenizer.decode(ids).notes
                #expect(notes.count > 300)
                #expect(notes.allSatisfy { (36...96).contains($0.pitch) })
                #expect(notes.allSatisfy { Key.cMajor.pitchClasses.contains($0.pitch % 12) })
                let chords = Dictionary(grouping: notes, by: \.step).values.map(\.count)
                #expect(chords.allSatisfy { $0 <= 6 })
            }
        }

        /// What the constraint is worth.
        @Test(arguments: [1, 8, 64]) func theRawSamplerBreaksTheGrammar(_ steps: Int) throws {
            let pieces = try UntrainedModel.pieces(first: 0, steps: steps, constraint: nil)
            try Soak.keep(pieces, as: "raw-\(steps)", first: 0)
            let ratios = pieces.map { UntrainedModel.tokenizer.tokenOrder(of: $0).errorRatio }
            #expect(ratios.allSatisfy { $0 > 0.5 }, "errors per token: \(ratios)")
        }
    }
}
