/// What a piece may contain beyond being well formed; it binds drawn tokens, never given ones.
public struct GrammarOptions: Sendable, Hashable {
    /// The pitches of drawn notes; all that the tokenizer has if nil.
    public var pitches: ClosedRange<Int>?
    /// The most notes that begin together; any number if nil.
    public var largestChord: Int?
    /// The key whose scale drawn notes keep to; all pitch classes if nil.
    public var scale: Key?
    /// Whether a bar may be without notes where what follows its Bar is drawn.
    public var allowsEmptyBars: Bool

    /// Options; without any, every well-formed piece is allowed whose bars have notes. In POP909 one bar in 580 has none, and
    /// most of those are at the ends of songs.
    public init(
        pitches: ClosedRange<Int>? = nil, largestChord: Int? = nil, scale: Key? = nil, allowsEmptyBars: Bool = false
    ) {
        self.pitches = pitches
        self.largestChord = largestChord
        self.scale = scale
        self.allowsEmptyBars = allowsEmptyBars
    }

    /// Reads a range of pitches such as `36-96`, both ends included.
    ///
    /// - Throws: ``GrammarError/pitchRange(_:)``.
    public static func pitches(parsing text: String) throws(GrammarError) -> ClosedRange<Int> {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard ends.count == 2, let low = ends[0], let high = ends[1], low <= high, high <= 127 else {
            throw .pitchRange(text)
        }
        return low...high
    }

    /// The options for pieces that are moved by `semitones` afterwards: what is asked of the result, asked before the move.
    func before(transposingBy semitones: Int) -> GrammarOptions {
        var options = self
        options.pitches = pitches.map { $0.lowerBound - semitones...$0.upperBound - semitones }
        options.scale = scale.map { Key(tonic: $0.tonic - semitones, mode: $0.mode) }
        return options
    }
}

/// Options that no piece satisfies.
public enum GrammarError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A text that names no range of pitches.
    case pitchRange(String)
    /// Fewer than one note may begin together.
    case largestChord(Int)
    /// A negative number of bars.
    case barCount(Int)
    /// More states than ``REMIGrammar/largestStateCount``.
    case tooManyStates(limit: Int)
    /// No pitch of the tokenizer, moved by the transposition, lies in the range and the scale.
    case noPitches(GrammarOptions, tokenizer: ClosedRange<Int>, transposition: Int)

    /// One line: what came and what was expected.
    public var description: String {
        switch self {
        case .pitchRange(let text):
            return "pitch range '\(text)': expected two MIDI pitches of 0 to 127, the lower first, such as 36-96"
        case .largestChord(let count): return "largest chord: expected at least 1 note, found \(count)"
        case .barCount(let count): return "bars: expected 0 or more, found \(count)"
        case .tooManyStates(let limit):
            return "grammar: expected at most \(limit) states: ask for fewer bars or smaller chords, or take a "
                + "tokenizer with fewer positions in a bar"
        case .noPitches(let options, let range, let transposition):
            let asked = [
                options.pitches.map { "the range \($0.lowerBound)-\($0.upperBound)" },
                options.scale.map { "the scale of \($0)" },
            ]
            let move = transposition == 0 ? "" : ", moved by \(transposition) semitones,"
            return "pitches: none of the tokenizer's \(range.lowerBound)-\(range.upperBound)\(move) is in "
                + asked.compactMap(\.self).joined(separator: " and ")
        }
    }
}
