/// A major or natural minor key.
public struct Key: Sendable, Hashable, CustomStringConvertible {
    /// Major or natural minor.
    public enum Mode: String, Sendable, Hashable, CaseIterable {
        /// Major.
        case major
        /// Natural minor.
        case minor

        /// Semitones of the scale above the tonic.
        var steps: [Int] {
            switch self {
            case .major: [0, 2, 4, 5, 7, 9, 11]
            case .minor: [0, 2, 3, 5, 7, 8, 10]
            }
        }
    }

    /// Pitch class of the tonic, 0 being C.
    public let tonic: Int
    /// Major or minor.
    public let mode: Mode

    /// The key that pieces are transposed to before training, together with its relative A minor.
    public static let cMajor = Key(tonic: 0, mode: .major)

    /// Makes a key; the tonic is taken modulo 12.
    public init(tonic: Int, mode: Mode) {
        self.tonic = Self.pitchClass(tonic)
        self.mode = mode
    }

    /// Reads a key such as `G:major`, `F#:minor` or `Bb:major`.
    ///
    /// - Throws: ``KeyError``.
    public init(parsing text: String) throws(KeyError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let letter = parts[0].first?.uppercased(), let natural = Self.naturals[letter],
            let mode = Mode(rawValue: parts[1].lowercased())
        else { throw KeyError(text: text) }
        let accidentals = parts[0].dropFirst()
        switch accidentals {
        case "": self.init(tonic: natural, mode: mode)
        case "#", "♯": self.init(tonic: natural + 1, mode: mode)
        case "b", "♭": self.init(tonic: natural - 1, mode: mode)
        default: throw KeyError(text: text)
        }
    }

    /// The key as ``init(parsing:)`` reads it.
    public var description: String { "\(Self.names[tonic]):\(mode.rawValue)" }

    /// The pitch classes of the key's scale, 0 being C.
    public var pitchClasses: Set<Int> { Set(mode.steps.map { (tonic + $0) % 12 }) }

    private static let naturals = ["C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11]
    private static let names = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]

    static func pitchClass(_ pitch: Int) -> Int { ((pitch % 12) + 12) % 12 }
}

/// A text that names no key.
public struct KeyError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What came.
    public let text: String

    /// Makes an error.
    public init(text: String) {
        self.text = text
    }

    /// One line: what came and what was expected.
    public var description: String {
        "key '\(text)': expected a tonic and a mode, such as C:major, F#:minor or Bb:major"
    }
}

// MARK: - Transposition

extension Key {
    /// Semitones, −5...6, that bring the key's scale onto the white keys: major to C major, minor to A minor.
    public var shiftToWhiteKeys: Int {
        let up = Self.pitchClass((mode == .major ? 0 : 9) - tonic)
        return up > 6 ? up - 12 : up
    }

    /// Semitones, −6...5, that bring a piece in C major or A minor into the key.
    public var shiftFromWhiteKeys: Int { -shiftToWhiteKeys }

    /// The key whose scale holds the most of the notes.
    ///
    /// Of keys whose scales hold equally many, as a major key's and its relative minor's do, the one whose tonic and
    /// fifth sound longest wins, then the one nearest to the white keys, then the major one.
    ///
    /// - Parameter notes: The notes; percussion does not count. Without any, C major.
    public static func estimate(of notes: [Note]) -> Key {
        var counts = [Int](repeating: 0, count: 12)
        var lengths = counts
        for note in notes where !note.isDrum {
            counts[pitchClass(note.pitch)] += 1
            lengths[pitchClass(note.pitch)] += note.duration
        }
        let keys = Mode.allCases.flatMap { mode in (0..<12).map { Key(tonic: $0, mode: mode) } }
        let ranked = keys.map { key in
            let inScale = key.pitchClasses.reduce(0) { $0 + counts[$1] }
            let tonicLength = lengths[key.tonic] + lengths[(key.tonic + 7) % 12]
            return (key: key, rank: (inScale, tonicLength, -abs(key.shiftToWhiteKeys)))
        }
        return ranked.max { $0.rank < $1.rank }?.key ?? cMajor
    }
}

extension [Note] {
    /// The notes moved by semitones; percussion stays, and a note that would leave 0...127 is moved back by octaves.
    public func transposed(by semitones: Int) -> [Note] {
        map { note in
            guard !note.isDrum else { return note }
            var moved = note
            moved.pitch = foldedPitch(note.pitch + semitones)
            return moved
        }
    }
}

extension [GridNote] {
    /// The notes moved by semitones; a note that would leave 0...127 is moved back by octaves.
    public func transposed(by semitones: Int) -> [GridNote] {
        map { note in
            var moved = note
            moved.pitch = foldedPitch(note.pitch + semitones)
            return moved
        }
    }
}

private func foldedPitch(_ pitch: Int) -> Int {
    let octave = Key.pitchClass(pitch)
    if pitch < 0 { return octave }
    return pitch > 127 ? (octave <= 7 ? octave + 120 : octave + 108) : pitch
}
