/// A piece as the statistics see it: notes in beats, percussion left out.
public struct StatisticsPiece: Sendable, Hashable {
    /// A note, times in quarter notes.
    struct Note: Sendable, Hashable {
        var onset: Double
        var pitch: Int
        var duration: Double
        var velocity: Int
    }

    /// The notes by (onset, pitch, duration, velocity).
    let notes: [Note]

    /// Pieces with fewer notes are not compared.
    static let fewestNotes = 8

    /// The pitched notes of a file.
    ///
    /// - Throws: ``TokenizerError/tooLong(bars:limit:)`` where it lasts longer than ``REMITokenizer/largestBarCount``.
    public init(_ notes: [Music.Note], division: Int) throws {
        let beats = Double(max(division, 1))
        let pitched = notes.filter { !$0.isDrum }
        let bars = Int(Double(pitched.map { $0.tick + $0.duration }.max() ?? 0) / beats) / BarGrid.beatsPerBar + 1
        guard bars <= REMITokenizer.largestBarCount else {
            throw TokenizerError.tooLong(bars: bars, limit: REMITokenizer.largestBarCount)
        }
        self.init(
            pitched.map {
                Note(
                    onset: Double($0.tick) / beats, pitch: $0.pitch, duration: Double($0.duration) / beats,
                    velocity: $0.velocity)
            })
    }

    private init(_ notes: [Note]) {
        self.notes = notes.sorted {
            ($0.onset, $0.pitch, $0.duration, $0.velocity) < ($1.onset, $1.pitch, $1.duration, $1.velocity)
        }
    }

    /// The piece moved so that its onsets lie on sixteenths as well as they can and the first lies in bar 1.
    func aligned() -> StatisticsPiece {
        guard !notes.isEmpty else { return self }
        let onGrid = moved(by: -BarGrid.phase(ofOnsets: notes.map(\.onset)))
        let bar = Double(BarGrid.beatsPerBar)
        return onGrid.moved(by: -bar * (onGrid.notes[0].onset / bar).rounded(.down))
    }

    /// The notes that begin in `count` bars from the bar `first`, counted from 0 and moved to bar 0.
    func bars(from first: Int, count: Int) -> StatisticsPiece {
        let start = Double(first * BarGrid.beatsPerBar)
        let end = Double((first + count) * BarGrid.beatsPerBar)
        return StatisticsPiece(notes.filter { start <= $0.onset && $0.onset < end }).moved(by: -start)
    }

    /// The number of bars to the last onset.
    var barCount: Int { Int(((notes.last?.onset ?? 0) / Double(BarGrid.beatsPerBar)).rounded(.down)) + 1 }

    private func moved(by beats: Double) -> StatisticsPiece {
        StatisticsPiece(
            notes.map { note in
                var moved = note
                moved.onset += beats
                return moved
            })
    }
}
