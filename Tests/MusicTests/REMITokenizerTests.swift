import Foundation
import Music
import Testing
import _TestSupport

@Suite("REMI tokens")
struct REMITokenizerTests {
    @Test("The vocabulary is MidiTok's", arguments: Fixture.tokenizers)
    func vocabulary(name: String) throws {
        let vocabulary = try Fixture.tokenizer(name).vocabulary
        let expected = try Fixture.miditok(name).vocabulary
        #expect(vocabulary.tokens.map(\.description) == expected)
        #expect(vocabulary.tokens.indices.allSatisfy { vocabulary.id(of: vocabulary.tokens[$0]) == $0 })
        #expect(vocabulary.token(of: expected.count) == nil && vocabulary.token(of: -1) == nil)
    }

    @Test("The built-in tokenizers are those of MidiTok with 32 and with 8 velocities")
    func builtIn() throws {
        #expect(try Fixture.tokenizer("standard") == REMITokenizer())
        #expect(REMITokenizer().vocabulary.count == 190)
        #expect(try Fixture.tokenizer("small") == REMITokenizer(.smallVelocity))
        #expect(REMITokenizer(.smallVelocity).vocabulary.count == 166)
        #expect(REMITokenizer().vocabulary.specialIDs == [0, 1, 2, 3])
    }

    @Test("Ids are MidiTok's", arguments: Fixture.tokenizers, Fixture.pieces)
    func ids(name: String, piece: String) throws {
        let file = try Fixture.midi(piece)
        let expected = try #require(Fixture.miditok(name).pieces[piece])
        #expect(expected.count > 100)
        let encoding = try Fixture.tokenizer(name).encode(file.notes().notes, division: file.division)
        #expect(encoding.ids == expected)
        #expect(encoding.barStarts.map { encoding.ids[$0] } == encoding.ids.filter { $0 == encoding.ids[0] })
    }

    @Test("Tokens in any order give MidiTok's notes and count of errors", arguments: Fixture.tokenizers)
    func disorderedTokens(name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        for sequence in try Fixture.miditok(name).disordered {
            let decoding = tokenizer.decode(sequence.ids)
            #expect(decoding.notes.map { [$0.step, $0.duration, $0.pitch, $0.velocity] } == sequence.notes)
            #expect(decoding.report.notes == sequence.notes.count && decoding.report.skipped > 0)
            #expect(tokenizer.tokenOrder(of: sequence.ids).errors == sequence.errors)
            #expect(sequence.errors > 0)
        }
    }

    @Test("What makes no note is counted by kind")
    func decodeReport() throws {
        let tokenizer = REMITokenizer()
        let vocabulary = tokenizer.vocabulary
        let beat = Token.duration(beats: 1, steps: 0, resolution: 4)
        let tokens: [Token] = [
            .bos, .bar, .velocity(63), .pitch(60), .pitch(62), .velocity(63), beat, beat,
            .bar, .position(4), .pitch(64), .velocity(63), .pad, .pitch(65),
        ]
        let ids = try tokens.map { try #require(vocabulary.id(of: $0)) } + [vocabulary.count, -5, 4000]
        let decoding = tokenizer.decode(ids)
        #expect(decoding.notes == [GridNote(step: 0, duration: 4, pitch: 62, velocity: 63)])
        let report = decoding.report
        #expect(report.tokens == 17 && report.bars == 2 && report.notes == 1)
        #expect(report.incompleteNotes == 3 && report.strayVelocities == 2 && report.strayDurations == 1)
        #expect(report.paddingTokens == 1 && report.specialTokens == 1 && report.unknownTokens == 3)
        #expect(report.skipped == 10)
        #expect(tokenizer.decode([]).notes.isEmpty)
    }

    @Test("The grammar lets padding end a piece, nothing follow EOS and nothing go before BOS")
    func grammar() {
        let tokenizer = REMITokenizer()
        let note = [4, 174, 44, 109, 129]
        #expect(tokenizer.tokenOrder(of: note + note + [0, 0, 0]).errors == 0)
        #expect(tokenizer.tokenOrder(of: note + [2, 0]).wrongTypes == 1)
        #expect(tokenizer.tokenOrder(of: note + [1] + note).wrongTypes == 1)
        #expect(tokenizer.tokenOrder(of: note + [174, 44, 109, 129]).wrongPositions == 1)
        #expect(tokenizer.tokenOrder(of: note + [190]).wrongTypes == 1)
        #expect(tokenizer.tokenOrder(of: note.reversed()).errorRatio == 0.8)
    }

    @Test("Aligned tokens of a decoded piece are the same tokens", arguments: ["standard", "small", "fine"])
    func fixedPoint(name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        for piece in Fixture.pieces {
            let file = try Fixture.midi(piece)
            let first = try tokenizer.encodeAligned(file.notes().notes, division: file.division)
            let (decoded, report) = tokenizer.midiFile(from: first.ids, tempo: .standard)
            #expect(report.skipped == 0)
            #expect(tokenizer.tokenOrder(of: first.ids).errors == 0)
            let copy = try MIDIFile.read(decoded.serialized()).file
            let second = try tokenizer.encodeAligned(
                copy.notes().notes, division: copy.division,
                on: BarGrid(division: copy.division, stepsPerBeat: first.grid.stepsPerBeat))
            #expect(second.ids == first.ids, "\(piece)")
        }
    }

    @Test("A piece without notes, or of absurdly many bars, is refused")
    func refusals() throws {
        let tokenizer = REMITokenizer()
        let drum = Note(tick: 0, duration: 1, pitch: 36, velocity: 1, channel: 9)
        let low = Note(tick: 0, duration: 1, pitch: 20, velocity: 1)
        for notes in [[], [drum], [low]] {
            #expect(throws: TokenizerError.noNotes) { try tokenizer.encode(notes, division: 480) }
            #expect(throws: TokenizerError.noNotes) { try tokenizer.encodeAligned(notes, division: 480) }
        }
        let far = Note(tick: Int(Int32.max), duration: 1, pitch: 60, velocity: 1)
        let limit = REMITokenizer.largestBarCount
        #expect(throws: TokenizerError.tooLong(bars: 536_870_912, limit: limit)) {
            try tokenizer.encode([far], division: 1)
        }
        #expect(try tokenizer.encode([low, far], division: 32_767).skippedNotes == 1)
    }

    @Test("Bars behind the last note that has tokens are empty, and as few as asked for")
    func emptyLastBars() throws {
        let tokenizer = REMITokenizer()
        let notes = [60, 10].enumerated().map { Note(tick: $0 * 5760, duration: 480, pitch: $1, velocity: 63) }
        let ids = try tokenizer.encodeAligned(notes, division: 480).ids
        #expect(try tokenizer.encodeAligned(notes, division: 480, barCount: 1).ids == ids)
        let longer = try tokenizer.encodeAligned(notes, division: 480, barCount: 4)
        #expect(longer.ids == ids + [4, 4, 4] && longer.barStarts == [0, 5, 6, 7])
        let limit = REMITokenizer.largestBarCount
        #expect(throws: TokenizerError.tooLong(bars: limit + 1, limit: limit)) {
            try tokenizer.encodeAligned(notes, division: 480, barCount: limit + 1)
        }
    }

    @Test("Another vocabulary than the model's is refused by name and number")
    func vocabularyMismatch() throws {
        let vocabulary = REMITokenizer().vocabulary
        try vocabulary.check(fits: 190, model: "m", tokenizer: "t")
        let error = try #require(throws: TokenizerError.self) {
            try vocabulary.check(fits: 166, model: "Models/small", tokenizer: "mine.json")
        }
        #expect(error.description.contains("mine.json has 190 tokens, model Models/small has a vocabulary of 166"))
    }

    @Test("A token file comes back as it was written, and names that do not fit are refused")
    func tokenFiles() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("tokens.json")
        let vocabulary = REMITokenizer().vocabulary
        let file = TokenFile(ids: [4, 174, 44, 190], vocabulary: vocabulary)
        try file.write(to: path)
        #expect(try TokenFile(path: path) == file)
        #expect(file.tokens == ["Bar_None", "Position_0", "Pitch_60", "Unknown_190"])
        try TokenFile(path: path).check(against: vocabulary, path: path)
        #expect(throws: TokenizerError.self) {
            try file.check(against: REMITokenizer(.smallVelocity).vocabulary, path: path)
        }
        var uneven = file
        uneven.tokens?.removeLast()
        #expect(throws: TokenizerError.malformed(path: path, reason: "4 ids but 3 tokens")) {
            try uneven.check(against: vocabulary, path: path)
        }
        try WholeFile.write(Array(#"{"ids": [4, "x"]}"#.utf8), to: path)
        #expect(throws: TokenizerError.self) { try TokenFile(path: path) }
        try WholeFile.write(Array(#"{"ids": [4], "ids": [5]}"#.utf8), to: path)
        let shape = #"expected {"ids": [whole numbers], "tokens": [names]}, found "#
        #expect(throws: TokenizerError.malformed(path: path, reason: shape + #"byte 18: the key "ids" twice"#)) {
            try TokenFile(path: path)
        }
        try WholeFile.write(Array(#"{"ids": [4]}"#.utf8), to: path)
        #expect(try TokenFile(path: path).ids == [4])
    }
}
