public import ComputeCore

/// The well-formed token sequences of a tokenizer, as an automaton that sampling obeys.
///
/// A drawn piece begins with Bar. Bar goes before Position, Position before Pitch, Pitch before Velocity, Velocity before
/// Duration (without velocities, Pitch before Duration), Duration before Pitch, a later Position, or Bar. It ends behind a
/// Duration, and nothing but PAD may follow the end. Where empty bars are allowed, Bar goes before Bar, too, and a piece may
/// end behind one. Where the tokenizer keeps only one of the notes with equal onset and pitch, drawn pitches at one position
/// rise, which is how it writes them.
///
/// With a number of bars, that many Bar tokens are drawn, or at least as many, and the piece does not end in an empty bar.
///
/// Given tokens are never refused behind given ones, whatever they say, but where a drawn note left a bar by other lines
/// without notes. Behind a drawn one they must continue what it
/// began, but no count is held against them: where seven notes are given, six may still be the most that are drawn.
public struct REMIGrammar: Sendable {
    /// The automaton over the tokenizer's ids.
    public let automaton: TokenAutomaton

    /// The most states of a grammar: its tables take seconds to make, and a draw keeps two numbers for each state and token.
    public static let largestStateCount = 1 << 17

    /// The grammar of a tokenizer.
    ///
    /// - Parameters:
    ///   - tokenizer: Whose ids the automaton reads.
    ///   - options: What drawn notes may be, after the move.
    ///   - transposition: Semitones by which the pieces are moved when they have been drawn.
    ///   - barCount: How many Bar tokens are drawn; any number if nil.
    ///   - allowsMoreBars: Whether more may be drawn, all with notes.
    ///   - barOffset: Where bars are counted by other lines than those of the tokens, the step of a token's bar at which those
    ///     begin, 0 up to a bar. Where the tokens' bars need notes, theirs do: a bar behind one whose last note is drawn and lies
    ///     before that step has a note before it.
    ///   - allowsPadding: Whether PAD may be drawn behind the end.
    /// - Throws: ``GrammarError`` if nothing satisfies the options.
    public init(
        _ tokenizer: REMITokenizer, options: GrammarOptions = GrammarOptions(), transposition: Int = 0,
        barCount: Int? = nil, allowsMoreBars: Bool = false, barOffset: Int = 0, allowsPadding: Bool = true
    ) throws {
        guard options.largestChord.map({ $0 >= 1 }) ?? true else {
            throw GrammarError.largestChord(options.largestChord ?? 0)
        }
        guard barCount.map({ $0 >= 0 }) ?? true else { throw GrammarError.barCount(barCount ?? 0) }
        let configuration = tokenizer.configuration
        let drawn = options.before(transposingBy: transposition)
        let pitches = configuration.pitches.filter { pitch in
            (drawn.pitches?.contains(pitch) ?? true) && (drawn.scale?.pitchClasses.contains(pitch % 12) ?? true)
        }
        guard !pitches.isEmpty else {
            throw GrammarError.noPitches(options, tokenizer: configuration.pitches, transposition: transposition)
        }
        let positionCount = BarGrid.beatsPerBar * configuration.stepsPerBeat
        let rules = GrammarRules(
            positionCount: positionCount,
            pitches: pitches, isRising: configuration.removesDuplicatedNotes, largestChord: options.largestChord,
            usesVelocities: configuration.usesVelocities, allowsEmptyBars: options.allowsEmptyBars, barCount: barCount,
            allowsMoreBars: allowsMoreBars, barOffset: min(max(barOffset, 0), positionCount - 1),
            allowsPadding: allowsPadding)
        automaton = try Self.compile(rules, tokenizer.vocabulary)
    }

    /// Numbers classes and states and fills the tables.
    private static func compile(_ rules: GrammarRules, _ vocabulary: Vocabulary) throws -> TokenAutomaton {
        let drawn = rules.drawnSymbols
        let given = Set(vocabulary.tokens.map(rules.givenSymbol)).sorted()
        let drawnClass = Dictionary(uniqueKeysWithValues: drawn.enumerated().map { ($1, $0 + 1) })
        let givenClass = Dictionary(uniqueKeysWithValues: given.enumerated().map { ($1, $0 + 1 + drawn.count) })
        let states = try rules.reachableStates(given: given, limit: largestStateCount)
        let numbers = Dictionary(uniqueKeysWithValues: states.enumerated().map { ($1, $0) })
        func number(of state: GrammarState?) -> Int? { state.flatMap { numbers[$0] } }
        return try TokenAutomaton(
            classes: vocabulary.tokens.map { token in rules.drawnSymbol(of: token).flatMap { drawnClass[$0] } ?? 0 },
            givenClasses: vocabulary.tokens.map { givenClass[rules.givenSymbol(of: $0)] ?? 0 },
            joiningClasses: vocabulary.tokens.map { (givenClass[rules.givenSymbol(of: $0)] ?? 0) + given.count },
            arcs: states.map { state in
                let way = rules.way(from: state)
                return TokenAutomaton.Arc(
                    on: way.flatMap { drawnClass[$0.symbol] } ?? 0, to: number(of: way?.target) ?? 0,
                    otherwise: number(of: rules.otherwise(state)))
            },
            givenMoves: given.map { symbol in states.map { number(of: rules.state(behind: symbol, from: $0)) } }
                + given.map { symbol in states.map { number(of: rules.state(joining: symbol, from: $0)) } },
            ends: states.map(rules.end), start: number(of: rules.start) ?? 0)
    }
}
