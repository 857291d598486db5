import ComputeCore
public import Foundation
public import Music

/// Songs as piano rolls, split into those that a model learns from and those that judge it.
///
/// Every song lies on its aligned grid of sixteenths and is transposed to C major or A minor by its best-fitting scale.
public struct RollCorpus: Sendable {
    /// A song and its melody.
    public struct Song: Sendable {
        /// All notes.
        public let roll: PianoRoll
        /// The melody alone: the first track called MELODY, else the highest note of every step with onsets.
        public let melody: PianoRoll

        /// The roll of a file, a whole number of bars long.
        ///
        /// - Throws: ``ScoreEditError``.
        public init(_ file: MIDIFile) throws(ScoreEditError) {
            let notes = file.notes().pitched
            let grid = BarGrid(aligning: notes, division: file.division)
            let moved = notes.transposed(by: Key.estimate(of: notes).shiftToWhiteKeys)
            let steps = try file.rollBarCount(on: grid) * grid.stepsPerBar
            let all = moved.map(grid.quantized)
            let track = file.trackNames.firstIndex { $0.uppercased() == "MELODY" }
            let named = moved.filter { $0.track == track }
            roll = PianoRoll(all, steps: steps)
            melody = PianoRoll(named.isEmpty ? all.highestOfSteps : named.map(grid.quantized), steps: steps)
        }
    }

    /// Songs to learn from.
    public let train: [Song]
    /// Songs to judge by.
    public let valid: [Song]
    /// Files that gave no song, and why.
    public let skipped: [String]

    /// Reads a folder of MIDI files: the lists `train.txt` and `valid.txt` if they are there, else every tenth file, in an
    /// order drawn under `seed`, judges.
    ///
    /// - Throws: ``CorpusError`` if no song is left on either side, ``FileError`` for what cannot be read.
    public init(folder: URL, seed: UInt64 = 0) throws {
        let songs = try SongFolder(folder, seed: seed).songs(Song.init)
        (train, valid, skipped) = (songs.train, songs.valid, songs.skipped)
    }

    /// The share of cells of the songs to learn from that are on, for each plane: the prior of the diffusion.
    public var densities: [Float] {
        PianoRoll.Plane.allCases.map { plane in
            let steps = train.reduce(0) { $0 + $1.roll.steps }
            let on = train.reduce(0) { $0 + $1.roll.density(of: plane) * Double($1.roll.steps) }
            return Float(on / Double(max(steps, 1)))
        }
    }
}

extension RollCorpus: TrainingCorpus {
    public var summary: String {
        func bars(_ songs: [Song]) -> [Int] { songs.map { $0.roll.steps / PianoRoll.stepsPerBar } }
        return summary(train: bars(train), valid: bars(valid), of: "bars")
    }
}

extension [GridNote] {
    /// The highest note of every step with onsets: recorded chords have as many ticks as notes, but one step.
    fileprivate var highestOfSteps: [GridNote] {
        Dictionary(grouping: self, by: \.step).values.compactMap { $0.max { $0.pitch < $1.pitch } }
    }
}
