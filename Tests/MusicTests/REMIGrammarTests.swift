import ComputeCore
import Music
import Testing
import _TestSupport

/// A vocabulary so small that all its short sequences can be written down.
private func smallTokenizer(removesDuplicates: Bool = false, velocities: Bool = true) throws -> REMITokenizer {
    REMITokenizer(
        try TokenizerConfiguration(
            pitches: 60...62, beatResolutions: [.init(beats: 0..<1, stepsPerBeat: 1)], velocityCount: 1,
            removesDuplicatedNotes: removesDuplicates, usesVelocities: velocities))
}

private func sequences(of length: Int, ids: Int) -> [[Int32]] {
    (0..<length).reduce([[]]) { shorter, _ in shorter.flatMap { prefix in (0..<Int32(ids)).map { prefix + [$0] } } }
}

extension REMITokenizer {
    fileprivate func ids(_ tokens: Token...) throws -> [Int32] {
        try tokens.map { token in Int32(try #require(vocabulary.id(of: token), "\(token)")) }
    }

    fileprivate var mask: Int32 { Int32(vocabulary.count) }

    fileprivate func masks(_ count: Int) -> [Int32] { [Int32](repeating: mask, count: count) }
}

private let note: [Token] = [.pitch(60), .velocity(127), .duration(beats: 1, steps: 0, resolution: 1)]

@Suite struct REMIGrammarTests {
    /// The checker of `tokenOrder` counts no error, the piece begins with Bar, ends behind a note or, where empty bars are
    /// allowed, a Bar, and special tokens but PAD at the end are absent: nothing else may be drawn, and all of it may.
    @Test(arguments: [
        (false, false, true), (false, true, true), (true, false, true), (true, true, true), (true, true, false),
    ])
    func drawsWhatTheCheckerPasses(_ removesDuplicates: Bool, _ velocities: Bool, _ emptyBars: Bool) throws {
        let tokenizer = try smallTokenizer(removesDuplicates: removesDuplicates, velocities: velocities)
        let automaton = try REMIGrammar(tokenizer, options: GrammarOptions(allowsEmptyBars: emptyBars)).automaton
        var admitted = 0
        for length in 1...5 {
            for sequence in sequences(of: length, ids: tokenizer.vocabulary.count) {
                let tokens = sequence.compactMap { tokenizer.vocabulary.token(of: Int($0)) }
                let music = tokens.prefix { $0 != .pad }
                let isWellFormed =
                    tokenizer.tokenOrder(of: sequence.map(Int.init)).errors == 0 && music.first == .bar
                    && tokens[music.count...].allSatisfy { $0 == .pad }
                    && music.allSatisfy { if case .special = $0 { false } else { true } }
                    && music.last.map { if case .duration = $0 { true } else { $0 == .bar } } ?? false
                    && (emptyBars || zip(music, music.dropFirst() + [.bar]).allSatisfy { $0 != .bar || $1 != .bar })
                #expect(automaton.admits(sequence) == isWellFormed, "\(tokens)")
                admitted += isWellFormed ? 1 : 0
            }
        }
        #expect(admitted > (emptyBars ? 20 : 10))
    }

    @Test func onlyRisingPitchesShareAPositionWhereDuplicatesAreRemoved() throws {
        for (removes, isAdmitted) in [(false, true), (true, false)] {
            let tokenizer = try smallTokenizer(removesDuplicates: removes)
            let automaton = try REMIGrammar(tokenizer).automaton
            let start = try tokenizer.ids(.bar, .position(2))
            let notes = try note.flatMap { try tokenizer.ids($0) }
            let higher = try tokenizer.ids(.pitch(62)) + notes.dropFirst()
            #expect(automaton.admits(start + notes + higher))
            #expect(automaton.admits(start + notes + notes) == isAdmitted)
            #expect(automaton.admits(start + higher + notes) == isAdmitted)
        }
    }

    @Test func optionsBindDrawnNotes() throws {
        let tokenizer = REMITokenizer()
        let options = GrammarOptions(
            pitches: try GrammarOptions.pitches(parsing: "48-72"), largestChord: 2, scale: try Key(parsing: "D:major"))
        let automaton = try REMIGrammar(tokenizer, options: options).automaton
        func piece(_ pitches: [Int]) throws -> [Int32] {
            try tokenizer.ids(.bar, .position(0))
                + pitches.flatMap { pitch in
                    try tokenizer.ids(.pitch(pitch), .velocity(63), .duration(beats: 1, steps: 0, resolution: 4))
                }
        }
        #expect(automaton.admits(try piece([50, 54])))
        #expect(!automaton.admits(try piece([50, 54, 57])))
        #expect(!automaton.admits(try piece([53])))
        #expect(!automaton.admits(try piece([74])))
    }

    @Test func givenTokensAreBoundByNothing() throws {
        // Seven equal notes at one position under at most one, outside the range; and tokens in no order at all.
        let tokenizer = try smallTokenizer(removesDuplicates: true)
        let automaton = try REMIGrammar(tokenizer, options: GrammarOptions(pitches: 61...61, largestChord: 1)).automaton
        let notes = try note.flatMap { try tokenizer.ids($0) }
        let chord = try tokenizer.ids(.bar, .position(1)) + (0..<7).flatMap { _ in notes }
        try automaton.check(chord, mask: tokenizer.mask)
        try automaton.check(chord + tokenizer.masks(4), mask: tokenizer.mask)
        for sequence in sequences(of: 3, ids: tokenizer.vocabulary.count) {
            try automaton.check(sequence, mask: tokenizer.mask)
        }
        // At that position no pitch may be drawn, before whose velocity and duration a new position has to come.
        #expect(throws: InfeasibleSequence(open: 23..<24, possible: [2])) {
            try automaton.check(chord + tokenizer.masks(1) + notes.dropFirst(), mask: tokenizer.mask)
        }
    }

    @Test func aGapIsBoundOnBothSides() throws {
        let tokenizer = try smallTokenizer()
        let automaton = try REMIGrammar(tokenizer, barCount: 0).automaton
        let notes = try note.flatMap { try tokenizer.ids($0) }
        let before = try tokenizer.ids(.bar, .position(1)) + notes
        // In the same bar position 3 stands behind, so that only position 2, or more notes at 1, fit between.
        let behind = try tokenizer.ids(.position(3)) + notes
        try automaton.check(before + tokenizer.masks(4) + behind, mask: tokenizer.mask)
        let last = try tokenizer.ids(.position(2)) + notes
        #expect(throws: InfeasibleSequence(open: 5..<9, possible: [3, 6])) {
            try automaton.check(before + tokenizer.masks(4) + last, mask: tokenizer.mask)
        }
        // A gap that ends in the middle of a note: its velocity is given.
        try automaton.check(before + tokenizer.masks(2) + notes.dropFirst(), mask: tokenizer.mask)
        #expect(throws: InfeasibleSequence(open: 5..<8, possible: [2, 4])) {
            try automaton.check(before + tokenizer.masks(3) + notes.dropFirst(), mask: tokenizer.mask)
        }
    }

    @Test func drawnBarsHaveNotesWhereEmptyOnesAreNotAllowed() throws {
        let tokenizer = try smallTokenizer()
        let notes = try note.flatMap { try tokenizer.ids($0) }
        let bar = try tokenizer.ids(.bar)
        let full = try tokenizer.ids(.bar, .position(0)) + notes
        for isAdmitted in [true, false] {
            let options = GrammarOptions(allowsEmptyBars: isAdmitted)
            let automaton = try REMIGrammar(tokenizer, options: options).automaton
            #expect(automaton.admits(full + full))
            #expect(automaton.admits(full + [0, 0]))
            #expect(automaton.admits(full + bar + full) == isAdmitted)
            #expect(automaton.admits(bar + full) == isAdmitted)
            #expect(automaton.admits(full + bar) == isAdmitted)
            // Given ones are bound by nothing; what is drawn behind a given Bar, or before one, is.
            try automaton.check(full + bar + full, mask: tokenizer.mask)
            let gap = tokenizer.masks(1)
            #expect(((try? automaton.check(full + gap + full, mask: tokenizer.mask)) != nil) == isAdmitted)
            #expect(((try? automaton.check(full + bar + gap, mask: tokenizer.mask)) != nil) == isAdmitted)
            let counted = try REMIGrammar(tokenizer, options: options, barCount: 2).automaton
            #expect(counted.admits(full + full))
            #expect(counted.admits(bar + full) == isAdmitted)
        }
    }

    @Test func asManyBarsComeOutAsAreAskedFor() throws {
        let tokenizer = try smallTokenizer()
        let notes = try note.flatMap { try tokenizer.ids($0) }
        let bar = try tokenizer.ids(.bar)
        let full = try tokenizer.ids(.bar, .position(0)) + notes
        let two = try REMIGrammar(tokenizer, options: GrammarOptions(allowsEmptyBars: true), barCount: 2).automaton
        #expect(two.admits(full + full))
        #expect(two.admits(bar + full + [0, 0]), "an empty bar before the last")
        #expect(!two.admits(full + bar), "the last bar is empty")
        #expect(!two.admits(full))
        #expect(!two.admits(full + full + full))
        let more = try REMIGrammar(tokenizer, barCount: 2, allowsMoreBars: true).automaton
        #expect(more.admits(full + full) && more.admits(full + full + full + full + [0]))
        #expect(!more.admits(full) && !more.admits(full + full + bar))
        // Given bars do not count, and a given bar behind the gap allows an empty one.
        try two.check(full + tokenizer.masks(2) + full, mask: tokenizer.mask)
        #expect(throws: InfeasibleSequence(open: 5..<6, possible: [2])) {
            try two.check(full + tokenizer.masks(1) + full, mask: tokenizer.mask)
        }
    }

    /// Bars with every choice of onsets: those that begin `offset` steps into them have notes, too.
    @Test(arguments: 0..<4) func barsOfOtherLinesHaveNotes(_ offset: Int) throws {
        let tokenizer = try smallTokenizer()
        let notes = try note.flatMap { try tokenizer.ids($0) }
        func bar(_ onsets: [Int]) throws -> [Int32] {
            try tokenizer.ids(.bar) + onsets.flatMap { try tokenizer.ids(.position($0)) + notes }
        }
        let bars = (0..<16).map { choice in (0..<4).filter { choice >> $0 & 1 == 1 } }
        let automaton = try REMIGrammar(tokenizer, barOffset: offset).automaton
        let emptyBars = GrammarOptions(allowsEmptyBars: true)
        let counted = try REMIGrammar(tokenizer, options: emptyBars, barCount: 3, barOffset: offset).automaton
        for (first, second, third) in bars.flatMap({ a in bars.flatMap { b in bars.map { (a, b, $0) } } }) {
            let tokens = try bar(first) + bar(second) + bar(third)
            func joined(_ bar: [Int], _ next: [Int]) -> Bool { bar.last ?? 0 >= offset || next.first ?? 4 < offset }
            let hasNotes = joined(first, second) && joined(second, third) && ![first, second, third].contains([])
            #expect(automaton.admits(tokens) == hasNotes, "\(first) \(second) \(third)")
            // Where empty bars are allowed, the last one has notes by either count.
            #expect(
                counted.admits(tokens) == (third != [] && (joined(second, third) || offset == 0)),
                "\(first) \(second) \(third)")
        }
    }

    /// What is given right behind drawn tokens counts where it goes on with a bar.
    @Test func aGivenNoteFillsABarOfOtherLines() throws {
        let tokenizer = try smallTokenizer()
        let notes = try note.flatMap { try tokenizer.ids($0) }
        let automaton = try REMIGrammar(tokenizer, barOffset: 2).automaton
        let open = tokenizer.masks(1)
        for (before, after, isFilled) in [(1, 1, true), (1, 2, false), (2, 2, true)] {
            let bar = try tokenizer.ids(.bar, .position(before)) + notes
            let sequence = try bar + open + tokenizer.ids(.position(after)) + notes
            #expect(((try? automaton.check(sequence, mask: tokenizer.mask)) != nil) == isFilled)
        }
    }

    @Test(arguments: ["96-36", "36", "a-b", "36-128", "-1-5", ""]) func rangesThatAreNone(_ text: String) {
        #expect(throws: GrammarError.pitchRange(text)) { try GrammarOptions.pitches(parsing: text) }
    }

    @Test func optionsThatLeaveNothingAreNamed() throws {
        let tokenizer = REMITokenizer()
        let options = GrammarOptions(pitches: 61...61, scale: .cMajor)
        let error = #expect(throws: GrammarError.self) { try REMIGrammar(tokenizer, options: options) }
        #expect(
            error?.description
                == "pitches: none of the tokenizer's 21-109 is in the range 61-61 and the scale of C:major")
        #expect(throws: GrammarError.largestChord(0)) {
            try REMIGrammar(tokenizer, options: GrammarOptions(largestChord: 0))
        }
        #expect(throws: GrammarError.tooManyStates(limit: REMIGrammar.largestStateCount)) {
            try REMIGrammar(tokenizer, options: GrammarOptions(largestChord: 60), barCount: 1000)
        }
        #expect(throws: GrammarError.barCount(-1)) { try REMIGrammar(tokenizer, barCount: -1) }
    }

    @Test func optionsMoveWithThePiece() throws {
        let options = GrammarOptions(
            pitches: 50...70, largestChord: 3, scale: try Key(parsing: "D:major"), allowsEmptyBars: true)
        let moved = GrammarOptions(pitches: 48...68, largestChord: 3, scale: .cMajor, allowsEmptyBars: true)
        let tokenizer = REMITokenizer()
        let automaton = try REMIGrammar(tokenizer, options: options, transposition: 2).automaton
        #expect(try automaton == REMIGrammar(tokenizer, options: moved).automaton)
        #expect(try automaton != REMIGrammar(tokenizer, options: options).automaton)
        let asked = GrammarOptions(pitches: 111...113)
        #expect(throws: GrammarError.noPitches(asked, tokenizer: 21...109, transposition: 1)) {
            try REMIGrammar(tokenizer, options: asked, transposition: 1)
        }
        _ = try REMIGrammar(tokenizer, options: asked, transposition: 2)
    }

    @Test func theStateSpaceStaysSmall() throws {
        let tokenizer = REMITokenizer()
        let emptyBars = GrammarOptions(allowsEmptyBars: true)
        #expect(try REMIGrammar(tokenizer, options: emptyBars).automaton.stateCount <= 84)
        let chords = GrammarOptions(largestChord: 6, allowsEmptyBars: true)
        #expect(try REMIGrammar(tokenizer, options: chords).automaton.stateCount <= 324)
        #expect(try REMIGrammar(tokenizer).automaton.stateCount <= 100)
        #expect(try REMIGrammar(tokenizer, barCount: 16).automaton.stateCount <= 17 * 100)
        #expect(try REMIGrammar(tokenizer, options: GrammarOptions(largestChord: 6)).automaton.stateCount <= 340)
    }

    @Test(arguments: Fixture.pieces) func aPieceIsTakenAsItIs(_ name: String) throws {
        let file = try Fixture.midi(name)
        for tokenizer in try Fixture.tokenizers.map(Fixture.tokenizer) {
            let ids = try tokenizer.encodeAligned(file.notes().notes, division: file.division).ids.map(Int32.init)
            let automaton = try REMIGrammar(tokenizer, options: GrammarOptions(largestChord: 1)).automaton
            try automaton.check(ids, mask: tokenizer.mask)
            let grammar = try REMIGrammar(tokenizer, options: GrammarOptions(allowsEmptyBars: true))
            #expect(grammar.automaton.admits(ids), "\(name) keeps to the grammar of its tokenizer")
        }
    }
}
