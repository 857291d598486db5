/// A file from which the pitched notes of some bars were taken, ready for new ones.
///
/// Every other event keeps its track, tick, order and bytes.
public struct BarGap: Sendable {
    /// The file without those notes.
    public let file: MIDIFile
    /// The bars, from 1.
    public let bars: ClosedRange<Int>
    /// The grid of the bars.
    public let grid: BarGrid
    /// The notes that were taken out, by (tick, duration, pitch, velocity).
    public let removed: [Note]
    /// Where new notes go: the first track that lost notes, else the first with pitched notes.
    public let track: Int
    /// The channel of new notes: that of the first pitched note of the track, lost ones first.
    public let channel: Int
}

/// Why bars of a piece cannot be edited.
public enum ScoreEditError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Bars that the piece does not have.
    case barsOutside(bars: ClosedRange<Int>, count: Int)
    /// A piece without pitched notes.
    case noNotes
    /// A piece of more bars than a piano roll holds.
    case tooLong(bars: Int, limit: Int)

    /// One line: what was asked and what there is.
    public var description: String {
        switch self {
        case .barsOutside(let bars, let count):
            "bars \(bars.lowerBound)-\(bars.upperBound): the piece has bars 1-\(count)"
        case .noNotes: "the piece has no notes but percussion"
        case .tooLong(let bars, let limit):
            "the piece has \(bars) bars, a piano roll at most \(limit): cut it, or the silence before its last notes"
        }
    }
}

extension MIDIFile {
    /// The number of bars: the bar of the last pitched onset, 0 without notes.
    public func barCount(on grid: BarGrid) -> Int {
        notes().pitched.last.map { grid.bar(ofTick: $0.tick) } ?? 0
    }

    /// The number of bars of the file's piano roll.
    ///
    /// - Throws: ``ScoreEditError/noNotes``, ``ScoreEditError/tooLong(bars:limit:)`` past ``PianoRoll/largestBarCount``.
    public func rollBarCount(on grid: BarGrid) throws(ScoreEditError) -> Int {
        let count = barCount(on: grid)
        guard count > 0 else { throw .noNotes }
        guard count <= PianoRoll.largestBarCount else { throw .tooLong(bars: count, limit: PianoRoll.largestBarCount) }
        return count
    }

    /// Takes the notes of bars out of every track but percussion.
    ///
    /// A note belongs to the bar of its onset and goes whole, also where it sounds on past the bars.
    ///
    /// - Parameters:
    ///   - bars: The bars, from 1, both ends included.
    ///   - grid: The grid of the bars.
    /// - Throws: ``ScoreEditError`` where the piece has no notes or not those bars.
    public func removingNotes(inBars bars: ClosedRange<Int>, on grid: BarGrid) throws(ScoreEditError) -> BarGap {
        let count = barCount(on: grid)
        guard count > 0 else { throw ScoreEditError.noNotes }
        guard bars.lowerBound >= 1, bars.upperBound <= count else {
            throw ScoreEditError.barsOutside(bars: bars, count: count)
        }
        return removingNotes(in: bars, on: grid) { bars.contains(grid.bar(ofTick: $0.tick)) }
    }

    /// Takes the pitched notes that are doomed out of every track, and leaves `bars` as the place for new ones.
    func removingNotes(in bars: ClosedRange<Int>, on grid: BarGrid, where isDoomed: (Note) -> Bool) -> BarGap {
        var edited = self
        var removed: [Note] = []
        var kept: [Note] = []
        for index in tracks.indices {
            var doomed: Set<Int> = []
            for pair in NotePairing(tracks[index], index: index).pairs where !pair.note.isDrum {
                if isDoomed(pair.note) {
                    doomed.formUnion([pair.strike, pair.release])
                    removed.append(pair.note)
                } else {
                    kept.append(pair.note)
                }
            }
            edited.tracks[index].events = tracks[index].events.enumerated()
                .filter { !doomed.contains($0.offset) }
                .map(\.element)
        }
        removed.sort(by: Note.precedes)
        let candidates = removed.isEmpty ? kept : removed
        let host = candidates.min { ($0.track, $0.tick) < ($1.track, $1.tick) }
        return BarGap(
            file: edited, bars: bars, grid: grid, removed: removed, track: host?.track ?? 0,
            channel: host?.channel ?? 0)
    }
}

extension BarGap {
    /// A filled gap.
    public struct Filling: Sendable {
        /// The file with the new notes.
        public let file: MIDIFile
        /// The notes as they were put in.
        public let inserted: [Note]
        /// New notes that were cut short where the same key is struck again.
        public let shortened: Int
        /// New notes that were left out: outside the bars or of MIDI's range, or on a key that is already down.
        public let skipped: Int
    }

    /// Puts new notes into the gap.
    ///
    /// The notes go to ``track`` and ``channel``. A channel cannot sound one key twice, and a release there would end
    /// whatever note of that key began first. So that no other note of the file changes, a new note ends where the same
    /// key is struck next, and is left out where the key is down at its onset or where strikes and releases of the key
    /// do not pair up in the file.
    ///
    /// - Parameter notes: Notes on the grid, counted in steps from bar 1 of the piece.
    public func filled(with notes: [GridNote]) -> Filling {
        let steps = (bars.lowerBound - 1) * grid.stepsPerBar..<bars.upperBound * grid.stepsPerBar
        let candidates =
            notes
            .filter { steps.contains($0.step) && (0...127).contains($0.pitch) && (1...127).contains($0.velocity) }
            .map { grid.note($0, track: track, channel: channel) }
            .sorted(by: Note.precedes)
        var keys = KeyOccupation(file.tracks[track], index: track, channel: channel)
        var inserted: [Note] = []
        var shortened = 0
        for (index, candidate) in candidates.enumerated() {
            let following = candidates[(index + 1)...].first {
                $0.pitch == candidate.pitch && $0.tick > candidate.tick
            }
            guard let note = keys.place(candidate, before: following?.tick) else { continue }
            shortened += note.duration < candidate.duration ? 1 : 0
            inserted.append(note)
        }
        var edited = file
        edited.tracks[track].insert(inserted)
        return Filling(
            file: edited, inserted: inserted, shortened: shortened, skipped: notes.count - inserted.count)
    }
}

/// When each key of a channel is down.
private struct KeyOccupation {
    private var spans: [Int: [ClosedRange<Int>]] = [:]
    private var unpaired: Set<Int> = []

    init(_ track: MIDITrack, index: Int, channel: Int) {
        let pairing = NotePairing(track, index: index)
        for pair in pairing.pairs where pair.note.channel == channel {
            spans[pair.note.pitch, default: []].append(pair.note.tick...(pair.note.tick + pair.note.duration))
        }
        for event in pairing.unreleased + pairing.strayReleases {
            let message = track.events[event].message
            if let struck = message.struckKey, Int(struck.channel) == channel {
                unpaired.insert(Int(struck.pitch))
            } else if let released = message.releasedKey, Int(released.channel) == channel {
                unpaired.insert(Int(released.pitch))
            }
        }
    }

    /// The note as it fits, its key taken from now on, or nil where it does not fit.
    mutating func place(_ note: Note, before following: Int?) -> Note? {
        guard !unpaired.contains(note.pitch) else { return nil }
        var end = note.tick + note.duration
        for span in spans[note.pitch] ?? [] {
            if span.lowerBound <= note.tick {
                // A key may be struck at the tick of its release; one struck at this very tick is taken.
                guard span.upperBound <= note.tick, span.lowerBound < note.tick else { return nil }
            } else {
                end = min(end, span.lowerBound)
            }
        }
        end = min(end, following ?? end)
        guard end > note.tick else { return nil }
        spans[note.pitch, default: []].append(note.tick...end)
        var placed = note
        placed.duration = end - note.tick
        return placed
    }
}

extension MIDITrack {
    /// Puts notes among the events: a release before, a strike after what happens at its tick.
    fileprivate mutating func insert(_ notes: [Note]) {
        var timed: [(tick: Int, rank: Int, event: MIDIEvent)] = events.map { ($0.tick, 1, $0) }
        for note in notes {
            let channel = UInt8(note.channel)
            let pitch = UInt8(note.pitch)
            let strike = MIDIMessage.noteOn(channel: channel, pitch: pitch, velocity: UInt8(note.velocity))
            let release = MIDIMessage.noteOff(channel: channel, pitch: pitch, velocity: 0)
            let end = note.tick + note.duration
            timed.append((note.tick, 2, MIDIEvent(tick: note.tick, message: strike)))
            timed.append((end, 0, MIDIEvent(tick: end, message: release)))
        }
        events = timed.enumerated()
            .sorted { a, b in
                (a.element.tick, a.element.rank, a.offset) < (b.element.tick, b.element.rank, b.offset)
            }
            .map(\.element.event)
        endTick = max(endTick, events.last?.tick ?? 0)
    }
}
