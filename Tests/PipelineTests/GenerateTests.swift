import Diffusion
import Foundation
import Music
import Pipeline
import ReferenceBackend
import SMDIM
import Testing
import _TestSupport

@Suite struct GenerateTests {
    private static func settings(count: Int = 1, firstSample: Int = 0) -> SamplingSettings {
        var settings = SamplingSettings(seed: 42)
        settings.steps = 6
        settings.count = count
        settings.firstSample = firstSample
        settings.batch = 2
        return settings
    }

    @Test func sampleHasTheSameBytesHoweverManyAreAsked() throws {
        let model = try TinyModel.shared.get()
        let three = try model.generate(length: 46, settings: Self.settings(count: 3))
        #expect(three.count == 3)
        for sample in 0..<3 {
            let alone = try model.generate(length: 46, settings: Self.settings(firstSample: sample))
            #expect(try alone[0].file.serialized() == three[sample].file.serialized())
            #expect(alone[0].summary.sample == sample)
        }
        #expect(try three[0].file.serialized() != three[1].file.serialized())
    }

    @Test func pieceStartsWithABarAndHasNoSpecialToken() throws {
        let model = try TinyModel.shared.get()
        let piece = try model.generate(length: 50, settings: Self.settings())[0]
        #expect(piece.tokens.count == 50)
        #expect(piece.tokens[0] == model.tokenizer.vocabulary.id(of: .bar))
        #expect(Set(piece.tokens).isDisjoint(with: model.tokenizer.vocabulary.specialIDs))
    }

    @Test func tempoAndKeyReachTheFile() throws {
        let model = try TinyModel.shared.get()
        let plain = try model.generate(length: 120, settings: Self.settings(), tempo: 90)[0].file
        #expect(plain.tempos.map(\.tempo.quartersPerMinute).first.map { abs($0 - 90) < 1e-3 } == true)
        let moved = try model.generate(length: 120, settings: Self.settings(), key: Key(parsing: "D:major"))[0].file
        #expect(!plain.notes().notes.isEmpty)
        #expect(moved.notes().notes.map(\.pitch) == plain.notes().notes.map { $0.pitch + 2 })
    }

    @Test func sweepReachesTheChain() throws {
        let model = try TinyModel.shared.get()
        var settings = Self.settings()
        let pieces = try [0, 0.9].map { sweep in
            settings.sweep = sweep
            return try model.generate(length: 46, settings: settings)[0].tokens
        }
        #expect(pieces[0] != pieces[1])
        settings.sweep = nil
        settings.steps = 64
        let drawn = try model.generate(length: 46, settings: settings)[0].tokens
        settings.sweep = 0.9
        #expect(try model.generate(length: 46, settings: settings)[0].tokens == drawn)
        settings.sweep = nil
        settings.order = .confidence
        #expect(try model.generate(length: 46, settings: settings)[0].tokens != drawn)
        settings.sweep = 1
        #expect(throws: SamplingError.self) { try model.generate(length: 46, settings: settings) }
    }

    /// The last of two batches is smaller.
    @Test func progressCountsNetworkCalls() throws {
        var settings = Self.settings(count: 3)
        settings.order = .ancestral
        settings.steps = 3
        var seen: [[Int]] = []
        _ = try TinyModel.shared.get().generate(length: 8, settings: settings) { seen.append([$0.done, $0.total]) }
        #expect(seen == (1...6).map { [$0, 6] })
    }

    /// So hot that all 186 ids are equally probable, and every draw lies at the bound of a half of them. Nine tokens are
    /// padded.
    @Test func nearTiesAreCountedPerPiece() throws {
        var settings = Self.settings(count: 2)
        (settings.temperature, settings.topP, settings.grammar) = (1e30, 0.5, nil)
        let pieces = try TinyModel.shared.get().generate(length: 9, settings: settings)
        #expect(pieces.map(\.summary.nearTies) == [8, 8])
    }

    @Test(arguments: [0, -5]) func lengthsThatCannotBeAreNamed(_ length: Int) throws {
        let model = try TinyModel.shared.get()
        #expect(throws: PipelineError.self) { try model.generate(length: length, settings: Self.settings()) }
    }

    @Test(arguments: [
        (2, true, "5 to 32768 tokens, or up to 1048576 without a grammar"),
        (32769, true, "5 to 32768 tokens, or up to 1048576 without a grammar"),
        (1_048_577, false, "1 to 1048576 tokens"),
    ]) func lengthsAreThoseThatCanBeDrawn(_ length: Int, _ hasGrammar: Bool, _ expected: String) throws {
        let model = try TinyModel.shared.get()
        var settings = Self.settings()
        if !hasGrammar { settings.grammar = nil }
        #expect(throws: PipelineError.option(name: "length", expected: expected, found: "\(length)")) {
            try model.generate(length: length, settings: settings)
        }
    }

    @Test func optionsThatLeaveNothingAreNamedAsTheyWereAsked() throws {
        let model = try TinyModel.shared.get()
        var settings = Self.settings()
        settings.grammar = GrammarOptions(pitches: 116...120)
        let error = #expect(throws: GrammarError.self) {
            try model.generate(length: 46, settings: settings, key: Key(parsing: "F:major"))
        }
        #expect(
            error?.description
                == "pitches: none of the tokenizer's 21-109, moved by 5 semitones, is in the range 116-120")
    }

    /// Draws count samples in 31 bits; a call whose last sample lies beyond ends before its first.
    @Test func samplesThatCannotBeCountedAreNamed() throws {
        let model = try TinyModel.shared.get()
        var settings = Self.settings(count: 2, firstSample: Int(Int32.max))
        settings.batch = 1
        #expect(
            throws: PipelineError.option(
                name: "first-sample", expected: "0 to 2147483646 for 2 pieces", found: "2147483647")
        ) { try model.generate(length: 8, settings: settings) }
        settings.firstSample -= 1
        #expect(
            try model.generate(length: 8, settings: settings).map(\.summary.sample) == [2_147_483_646, 2_147_483_647])
    }

    @Test func tokenizerOfAnotherVocabularyIsRefused() throws {
        let folder = try TemporaryFolder().url
        try TinyModel.write(to: folder, tokenizer: .smallVelocity)
        #expect {
            try TokenModel(folder, on: ReferenceBackend())
        } throws: { error in
            "\(error)".contains("166") && "\(error)".contains("190")
        }
    }
}
