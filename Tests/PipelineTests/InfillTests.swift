import Music
import Pipeline
import Testing

@Suite struct InfillTests {
    private static var settings: SamplingSettings {
        var settings = SamplingSettings(seed: 7)
        settings.steps = 4
        return settings
    }

    /// The bar of a note, of those that lie on the file's own grid but for its 17 ticks.
    private static func bar(of note: Note) -> Int { (note.tick - 17 + 60) / 1920 + 1 }

    /// Pitched notes that begin in the given bars.
    private static func notes(_ file: MIDIFile, bars: ClosedRange<Int>) -> [Note] {
        file.notes().notes.filter { !$0.isDrum && bars.contains(Self.bar(of: $0)) }
    }

    /// Of each track what is no pitched note.
    private static func otherEvents(_ file: MIDIFile) -> [[MIDIEvent]] {
        file.tracks.map { track in
            track.events.filter { event in
                switch event.message {
                case .noteOn(let channel, _, _), .noteOff(let channel, _, _): Int(channel) == Note.drumChannel
                default: true
                }
            }
        }
    }

    @Test func everythingOutsideTheBarsStays() throws {
        let before = try TinyModel.piece(bars: 6)
        let piece = try TinyModel.shared.get().infill(before, bars: 3...4, settings: Self.settings)[0]
        for bars in [1...2, 5...6] {
            #expect(Self.notes(piece.file, bars: bars) == Self.notes(before, bars: bars))
        }
        #expect(Self.otherEvents(piece.file) == Self.otherEvents(before))
        #expect(Self.otherEvents(before).map(\.count) == [2, 1, 0, 12])
        #expect(Self.notes(piece.file, bars: 3...4) != Self.notes(before, bars: 3...4))
    }

    @Test func windowKeepsTheBarsTokensAndTheirNumber() throws {
        let before = try TinyModel.piece(bars: 6)
        let model = try TinyModel.shared.get()
        let bar = try #require(model.tokenizer.vocabulary.id(of: .bar))
        let original = try model.tokenizer.encodeAligned(before.notes().pitched, division: before.division)
        let piece = try model.infill(before, bars: 3...4, settings: Self.settings)[0]
        #expect(piece.tokens.count == original.ids.count)
        #expect(piece.tokens.indices.filter { piece.tokens[$0] == bar } == original.barStarts)
        let gap = original.tokens(ofBar: 3).lowerBound..<original.tokens(ofBar: 4).upperBound
        #expect(piece.tokens[..<gap.lowerBound] == original.ids[..<gap.lowerBound])
        #expect(piece.tokens[gap.upperBound...] == original.ids[gap.upperBound...])
    }

    /// The accents of the piece lie six sixteenths behind the bar lines by which its bars are counted.
    @Test func theModelSeesBarLinesAtTheAccents() throws {
        let before = try TinyModel.piece(bars: 6, delay: 720)
        let model = try TinyModel.shared.get()
        let notes = before.notes().pitched
        let grid = BarGrid(aligning: notes, division: 480)
        let seen = try model.tokenizer.encodeAligned(notes, division: 480, on: grid.barred(by: notes))
        #expect(
            seen.barStarts.count == 6
                && seen.barStarts == seen.ids.indices.filter { seen.steps[$0] % 16 == 0 && seen.ids[$0] == seen.ids[0] }
        )
        let piece = try model.infill(before, bars: 3...4, settings: Self.settings)[0]
        // Bar 3 of the file is from step 26 on of what the model sees.
        let gap = seen.tokens(in: 26..<58)
        #expect(gap.lowerBound > seen.barStarts[1] + 1 && gap.upperBound > seen.barStarts[3] + 1)
        #expect(piece.tokens[..<gap.lowerBound] == seen.ids[..<gap.lowerBound])
        #expect(piece.tokens[gap.upperBound..<seen.ids.count] == seen.ids[gap.upperBound...])
        #expect(piece.tokens.indices.filter { piece.tokens[$0] == seen.ids[0] }.prefix(6) == seen.barStarts[...])
        for bars in [1...2, 5...7] {
            #expect(Self.notes(piece.file, bars: bars) == Self.notes(before, bars: bars))
        }
        #expect(Self.notes(piece.file, bars: 3...4) != Self.notes(before, bars: 3...4))
    }

    @Test(arguments: [1...2, 2...3, 6...7]) func barsOfAnyLinesAreFilled(_ bars: ClosedRange<Int>) throws {
        let model = try TinyModel.shared.get()
        for delay in [720, 1920 * 2 + 240] {
            let before = try TinyModel.piece(bars: 7, delay: delay)
            let removed = Self.notes(before, bars: bars)
            let known = before.notes().notes.filter { !removed.contains($0) }
            for (grammar, tokens) in [(GrammarOptions(), 40), (GrammarOptions(), nil), (nil, 90)] {
                guard tokens != nil || !removed.isEmpty else { continue }
                var settings = Self.settings
                settings.grammar = grammar
                settings.count = 8
                for piece in try model.infill(before, bars: bars, tokens: tokens, settings: settings) {
                    let new = piece.file.notes().notes.filter { !known.contains($0) }
                    let filled = Set(new.map { Self.bar(of: $0) })
                    #expect(new.count == piece.summary.notes && filled.isSubset(of: bars))
                    let expected = tokens == nil ? Set(removed.map { Self.bar(of: $0) }) : Set(bars)
                    #expect(grammar == nil || filled.isSuperset(of: expected))
                    #expect(known.allSatisfy(piece.file.notes().notes.contains))
                }
            }
        }
    }

    /// 2880 tokens, of which the window has those of whole bars, 36 each.
    @Test(arguments: 60...63) func aLongPieceIsSeenInBars(_ tokens: Int) throws {
        let (model, before) = (try TinyModel.shared.get(), try TinyModel.piece(bars: 80))
        var settings = Self.settings
        settings.steps = 1
        for bars in [1...2, 40...41, 79...80] {
            let piece = try model.infill(before, bars: bars, tokens: tokens, settings: settings)[0]
            #expect((2048 - 72...2048).contains(piece.tokens.count) && piece.summary.skippedTokens == 0)
        }
    }

    @Test func otherNumbersOfTokensAreSharedOut() throws {
        let before = try TinyModel.piece(bars: 4)
        let model = try TinyModel.shared.get()
        let original = try model.tokenizer.encodeAligned(before.notes().pitched, division: before.division)
        let removed = original.tokens(ofBar: 2).count + original.tokens(ofBar: 3).count - 2
        let piece = try model.infill(before, bars: 2...3, tokens: 31, settings: Self.settings)[0]
        #expect(piece.tokens.count == original.ids.count - removed + 31)
    }

    @Test func barsWithNotesTakeTokens() throws {
        let (model, file) = (try TinyModel.shared.get(), try TinyModel.piece(bars: 4))
        var settings = SamplingSettings(seed: 1)
        settings.steps = 1
        let expected = "at least 20 for 4 bars with notes, or that empty bars are allowed"
        #expect(throws: PipelineError.option(name: "tokens", expected: expected, found: "19")) {
            try model.extend(file, bars: 4, tokens: 19, settings: settings)
        }
        #expect(try model.extend(file, bars: 4, tokens: 20, settings: settings)[0].summary.notes == 4)
        #expect(throws: PipelineError.self) { try model.infill(file, bars: 2...3, tokens: 7, settings: settings) }
        #expect(try model.infill(file, bars: 2...3, tokens: 8, settings: settings)[0].summary.notes == 2)
        #expect(throws: PipelineError.self) { try model.generate(length: 4, settings: settings) }
        settings.grammar = GrammarOptions(allowsEmptyBars: true)
        #expect(try model.extend(file, bars: 4, tokens: 11, settings: settings)[0].summary.notes <= 2)
    }

    /// With one note at a time each takes four tokens besides its bar's.
    @Test func tokensThatNoBarsFillAreCountedAsAskedFor() throws {
        let (model, file) = (try TinyModel.shared.get(), try TinyModel.piece(bars: 4))
        var settings = SamplingSettings(seed: 1)
        settings.steps = 1
        settings.grammar = GrammarOptions(largestChord: 1)
        let odd = PipelineError.unfillableGap(bars: 2...3, tokens: 41, possible: [40, 44])
        #expect(throws: odd) { try model.infill(file, bars: 2...3, tokens: 41, settings: settings) }
        #expect(try model.infill(file, bars: 2...3, tokens: 40, settings: settings)[0].summary.notes == 10)
        // A bar's first two notes have seven tokens, the others four each.
        let kept = PipelineError.unfillableGap(bars: 2...2, tokens: nil, possible: [])
        #expect(throws: kept) { try model.infill(file, bars: 2...2, settings: settings) }
        settings.grammar = GrammarOptions(allowsEmptyBars: true)
        let short = PipelineError.unfillableGap(bars: 5...8, tokens: 5, possible: [8])
        #expect(throws: short) { try model.extend(file, bars: 4, tokens: 5, settings: settings) }
        #expect(try model.extend(file, bars: 4, tokens: 8, settings: settings)[0].summary.notes == 1)
    }

    /// A piece of few tokens suggests fewer than its continuation needs.
    @Test func aSparsePieceIsContinued() throws {
        let notes = [0, 2].map { Note(tick: $0 * 1920, duration: 1900, pitch: 60, velocity: 60) }
        let file = MIDIFile(notes: notes, division: 480, tempo: try Tempo(quartersPerMinute: 90))
        var settings = SamplingSettings(seed: 1)
        settings.steps = 1
        #expect(try TinyModel.shared.get().extend(file, bars: 4, settings: settings)[0].summary.notes >= 4)
    }

    @Test(arguments: [Int.min, 0, 2049, .max]) func tokensThatNoWindowHoldsAreNamed(_ tokens: Int) throws {
        let (model, file) = (try TinyModel.shared.get(), try TinyModel.piece(bars: 4))
        let error = PipelineError.option(name: "tokens", expected: "1 to 2048", found: "\(tokens)")
        #expect(throws: error) { try model.infill(file, bars: 2...3, tokens: tokens, settings: Self.settings) }
        #expect(throws: error) { try model.extend(file, bars: 2, tokens: tokens, settings: Self.settings) }
    }

    @Test func barsOutsideThePieceAreNamed() throws {
        let piece = try TinyModel.piece(bars: 4)
        #expect(throws: ScoreEditError.barsOutside(bars: 3...9, count: 4)) {
            try TinyModel.shared.get().infill(piece, bars: 3...9, settings: Self.settings)
        }
    }

    /// Bars 4 and 5 have one note each, which is too low for a token.
    @Test func lastBarsOfNotesWithoutTokensAreBars() throws {
        let notes = (0..<5).map { Note(tick: $0 * 1920, duration: 960, pitch: $0 < 3 ? 60 : 10, velocity: 70) }
        let (model, file) = (try TinyModel.shared.get(), MIDIFile(notes: notes, division: 480, tempo: .standard))
        let known = file.notes().notes
        func newBars(_ pieces: [Piece]) -> Set<Int> {
            Set(pieces[0].file.notes().notes.filter { !known.contains($0) }.map { $0.tick / 1920 + 1 })
        }
        let extended = try model.extend(file, bars: 2, tokens: 30, settings: Self.settings)
        #expect(newBars(extended) == [6, 7] && extended[0].summary.remarks.isEmpty)
        #expect(newBars(try model.infill(file, bars: 5...5, tokens: 12, settings: Self.settings)) == [5])
    }

    /// Of many tokens most go to bars behind those that are asked for.
    @Test(arguments: [0, 720]) func tokensThatAreLeftOverDoNotCrowdTheLastBar(_ delay: Int) throws {
        let (model, before) = (try TinyModel.shared.get(), try TinyModel.piece(bars: 3, delay: delay))
        let piece = try model.extend(before, bars: 2, tokens: 1000, settings: Self.settings)[0]
        let counts = Dictionary(grouping: piece.file.notes().pitched) { Self.bar(of: $0) }
            .mapValues(\.count)
        let last = delay == 0 ? 3 : 4
        let (first, second) = (try #require(counts[last + 1]), try #require(counts[last + 2]))
        #expect(counts.keys.max() == last + 2 && first + second == piece.summary.notes)
        // Without bars behind them they would have some 200 notes.
        #expect(first + second < 120)
    }

    /// Steps at which notes begin, long ones where the accents are: four steps before the bars by which they are counted.
    private static func sparse(_ short: [Int], long: [Int]) throws -> MIDIFile {
        MIDIFile(
            notes: (short.map { ($0, 1) } + long.map { ($0, 16) }).map { step, length in
                Note(tick: step * 120 + 17, duration: length * 120, pitch: 60 + step % 7, velocity: 70)
            }, division: 480, tempo: .standard)
    }

    /// The bar before the gap is empty, or the gap's bars have a note each on either side of a line.
    @Test func barsAmongSilenceAreFilled() throws {
        let model = try TinyModel.shared.get()
        let long = [12, 28, 44, 108, 124, 140]
        let (silent, thin) = (
            try Self.sparse([0, 4, 16, 32, 66, 96, 112, 128], long: long + [92]),
            try Self.sparse([0, 4, 16, 32, 60, 66, 84, 96, 100, 112, 128], long: long)
        )
        var settings = Self.settings
        settings.count = 8
        for (file, bars) in [(silent, 5...5), (thin, 5...6), (thin, 5...5)] {
            let grid = BarGrid(aligning: file.notes().pitched, division: 480)
            #expect((grid.stepsToAccents(of: file.notes().pitched) + 32) % 16 == 4)
            for tokens in [nil, 8 * bars.count, 40] {
                for piece in try model.infill(file, bars: bars, tokens: tokens, settings: settings) {
                    let new = piece.file.notes().notes.filter { !file.notes().notes.contains($0) }
                    #expect(Set(new.map { Self.bar(of: $0) }) == Set(bars), "\(String(describing: tokens))")
                }
            }
        }
    }

    /// A file's bar that the model sees half in a bar of rest keeps to it, and the summary says so.
    @Test func barsThatStayEmptyAreNamed() throws {
        let model = try TinyModel.shared.get()
        let file = try Self.sparse([0, 4, 16, 32, 77, 85, 96, 112, 128], long: [12, 28, 44, 108, 124, 140])
        var settings = Self.settings
        settings.count = 16
        let remark = "no notes in bar 5; with --tokens every bar gets some"
        let pieces = try model.infill(file, bars: 5...5, settings: settings)
        for piece in pieces {
            #expect((piece.summary.notes == 0) == piece.summary.remarks.contains(remark), "\(piece.summary.remarks)")
        }
        #expect(Set(pieces.map { $0.summary.notes == 0 }) == [true, false])
        for piece in try model.infill(file, bars: 5...5, tokens: 8, settings: settings) {
            #expect(piece.summary.notes > 0 && piece.summary.remarks.isEmpty)
        }
    }

    /// Only one pitch may be drawn, and it sounds on from before: new notes of it are left out.
    @Test func barsWhoseNotesAreLeftOutAreNamed() throws {
        let model = try TinyModel.shared.get()
        var held = try Self.sparse([0, 4, 16, 20, 32, 36], long: [])
        held = MIDIFile(
            notes: held.notes().notes + [Note(tick: 17, duration: 60 * 480, pitch: 67, velocity: 70)], division: 480,
            tempo: .standard)
        var settings = Self.settings
        settings.grammar = GrammarOptions(pitches: 67...67)
        let piece = try model.extend(held, bars: 2, settings: settings)[0]
        #expect(piece.summary.notes == 0)
        let first = held.barCount(on: BarGrid(aligning: held.notes().pitched, division: 480)) + 1
        #expect(piece.summary.remarks.contains("no notes in bar \(first), \(first + 1)"), "\(piece.summary.remarks)")
    }

    /// Half of each of these bars lies in one of the model's, half in the next.
    @Test func barsOfOtherLinesHaveNotes() throws {
        let (model, before) = (try TinyModel.shared.get(), try TinyModel.piece(bars: 3, delay: 720))
        var settings = Self.settings
        settings.count = 16
        for piece in try model.extend(before, bars: 6, tokens: 60, settings: settings) {
            #expect(Set(piece.file.notes().pitched.map { Self.bar(of: $0) }) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
        }
    }

    /// Wherever the accents lie, with as few tokens as there may be; a note's more where the model's bar goes on empty.
    @Test(arguments: [(0, 5), (120, 5), (720, 9), (1800, 9)])
    func everyBarOfAnExtensionHasNotes(_ delay: Int, tokens: Int) throws {
        let (model, before) = (try TinyModel.shared.get(), try TinyModel.piece(bars: 3, delay: delay))
        let last = try #require(before.notes().pitched.map { Self.bar(of: $0) }.max())
        for seed in 0..<8 {
            var settings = Self.settings
            settings.seed = UInt64(seed)
            let piece = try model.extend(before, bars: 1, tokens: tokens, settings: settings)[0]
            let bars = Set(piece.file.notes().pitched.map { Self.bar(of: $0) }).subtracting(1...last)
            #expect(bars == [last + 1])
        }
        let expected = "at least \(tokens) for 1 bars with notes, or that empty bars are allowed"
        #expect(throws: PipelineError.option(name: "tokens", expected: expected, found: "\(tokens - 1)")) {
            try model.extend(before, bars: 1, tokens: tokens - 1, settings: Self.settings)
        }
    }

    @Test func extensionLeavesThePieceAndAddsBehindIt() throws {
        let before = try TinyModel.piece(bars: 3)
        let piece = try TinyModel.shared.get().extend(before, bars: 2, tokens: 90, settings: Self.settings)[0]
        #expect(Self.notes(piece.file, bars: 1...3) == Self.notes(before, bars: 1...3))
        let added = piece.file.notes().notes.filter { !before.notes().notes.contains($0) }
        #expect(added.allSatisfy { (4...5).contains(Self.bar(of: $0)) && $0.track == added.first?.track })
        #expect(piece.summary.notes == added.count)
    }
}
