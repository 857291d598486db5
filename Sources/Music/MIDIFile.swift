/// A Standard MIDI File of format 0 or 1 in memory, with every event that the file holds.
///
/// Reading and writing a file keeps each event's track, tick, order and bytes; only the encoding of running status and
/// delta times is made anew, and the file becomes format 1.
public struct MIDIFile: Sendable, Hashable {
    /// The largest number that four bytes of seven bits hold.
    static let largestNumber = 0x0FFF_FFFF
    /// The last tick that a reader counts to.
    static let largestTick = Int(Int32.max)

    /// Ticks in a quarter note, 1...32767.
    public var division: Int
    /// The tracks in file order.
    public var tracks: [MIDITrack]
    /// Chunks of other types, written after the tracks.
    public var otherChunks: [MIDIChunk]

    /// Makes a file from its parts.
    public init(division: Int, tracks: [MIDITrack], otherChunks: [MIDIChunk] = []) {
        self.division = division
        self.tracks = tracks
        self.otherChunks = otherChunks
    }
}

// MARK: - Reading

extension MIDIFile {
    /// A file and what was odd about its bytes.
    public struct Reading: Sendable {
        /// The file.
        public let file: MIDIFile
        /// What was odd, in the order of the bytes.
        public let warnings: [MIDIWarning]
    }

    /// Reads a file from its bytes.
    ///
    /// Memory grows with the bytes that are there, never with a length that they declare.
    ///
    /// - Throws: ``MIDIError`` naming the byte where the header is unusable or no track follows it.
    public static func read(_ bytes: [UInt8]) throws -> Reading {
        var reader = MIDIReader(bytes)
        let file = try reader.readFile()
        return Reading(file: file, warnings: reader.warnings)
    }

    /// Reads the file at `path`.
    ///
    /// - Throws: ``MIDIError`` naming the file and the byte, ``FileError`` where the path cannot be read.
    public static func read(path: String) throws -> Reading {
        let bytes = try WholeFile.read(path)
        do {
            return try read(bytes)
        } catch var error as MIDIError {
            error.file = path
            throw error
        }
    }
}

// MARK: - Tempo and metre

/// A tempo: microseconds per quarter note, as MIDI stores it.
public struct Tempo: Sendable, Hashable {
    /// The tempi that a tempo event can hold, in quarter notes per minute, the lower bound rounded up.
    public static let range = 3.58...60_000_000.0
    /// The same in words.
    package static let span = "\(range.lowerBound) to \(range.upperBound)"

    /// Microseconds in a quarter note, 1...2²⁴ − 1.
    public let microsecondsPerQuarter: Int

    /// A tempo in quarter notes per minute, rounded to whole microseconds: 6·10⁷ / `quartersPerMinute`.
    ///
    /// - Throws: ``MIDIError/Problem/unwritableTempo(_:)`` outside ``range``.
    public init(quartersPerMinute: Double) throws(MIDIError) {
        guard Self.range.contains(quartersPerMinute) else {
            throw MIDIError(.unwritableTempo(quartersPerMinute))
        }
        microsecondsPerQuarter = Int((60_000_000 / quartersPerMinute).rounded())
    }

    /// A tempo as MIDI stores it, or nil where it is 0 or above 24 bits.
    public init?(microsecondsPerQuarter: Int) {
        guard (1...0xFF_FFFF).contains(microsecondsPerQuarter) else { return nil }
        self.microsecondsPerQuarter = microsecondsPerQuarter
    }

    /// Quarter notes per minute.
    public var quartersPerMinute: Double { 60_000_000 / Double(microsecondsPerQuarter) }

    /// The tempo that holds where a file says nothing: 120 quarter notes per minute.
    public static let standard = Tempo(microseconds: 500_000)

    private init(microseconds: Int) {
        microsecondsPerQuarter = microseconds
    }

    var message: MIDIMessage {
        .meta(
            type: MetaType.tempo,
            bytes: [16, 8, 0].map { UInt8(microsecondsPerQuarter >> $0 & 0xFF) })
    }
}

extension MIDIFile {
    /// The tempo events by tick ascending, ties in the order of the tracks, without those of 0 or not of three bytes.
    public var tempos: [(tick: Int, tempo: Tempo)] {
        tracks.flatMap(\.events)
            .compactMap { event -> (tick: Int, tempo: Tempo)? in
                guard case .meta(MetaType.tempo, let bytes) = event.message, bytes.count == 3 else { return nil }
                let value = bytes.reduce(0) { $0 << 8 | Int($1) }
                return Tempo(microsecondsPerQuarter: value).map { (event.tick, $0) }
            }
            .enumerated()
            .sorted { ($0.element.tick, $0.offset) < ($1.element.tick, $1.offset) }
            .map(\.element)
    }

    /// A file of one piano part in 4/4: a conductor track with tempo and metre, and a track with the notes.
    ///
    /// Notes that overlap at one pitch are put on further channels of the same instrument, because a channel cannot say
    /// which of two equal keys is released. So reading the file back gives the same notes, as long as no more than
    /// fifteen overlap; those beyond share a channel, and are released in the order in which they began. The channel
    /// and track fields of the notes are not used.
    ///
    /// - Parameters:
    ///   - notes: The notes, in any order.
    ///   - division: Ticks in a quarter note of the notes' times.
    ///   - tempo: The tempo from the beginning.
    public init(notes: [Note], division: Int, tempo: Tempo) {
        // 4/4, 24 MIDI clocks a metronome click, eight 32nds a quarter.
        let metre = MIDIMessage.meta(type: MetaType.timeSignature, bytes: [4, 2, 24, 8])
        let conductor = [MIDIEvent(tick: 0, message: tempo.message), MIDIEvent(tick: 0, message: metre)]
        let melodicChannels = (0..<16).filter { $0 != Note.drumChannel }

        var lastRelease = [Int](repeating: 0, count: melodicChannels.count * 128)
        var timed: [(tick: Int, order: Int, message: MIDIMessage)] = []
        timed.reserveCapacity(notes.count * 2)
        var channelsInUse = 0
        for note in notes.sorted(by: Note.precedes) {
            let pitch = UInt8(clamping: min(max(note.pitch, 0), 127))
            let velocity = UInt8(clamping: min(max(note.velocity, 1), 127))
            let start = max(note.tick, 0)
            let end = start + max(note.duration, 1)
            let slot =
                melodicChannels.indices.first { lastRelease[$0 * 128 + Int(pitch)] <= start }
                ?? melodicChannels.count - 1
            lastRelease[slot * 128 + Int(pitch)] = end
            channelsInUse = max(channelsInUse, slot + 1)
            let channel = UInt8(melodicChannels[slot])
            timed.append((start, 1, .noteOn(channel: channel, pitch: pitch, velocity: velocity)))
            timed.append((end, 0, .noteOff(channel: channel, pitch: pitch, velocity: 0)))
        }
        // Releases come before strikes of the same tick, so that a repeated note is released first.
        let sorted = timed.enumerated().sorted {
            ($0.element.tick, $0.element.order, $0.offset) < ($1.element.tick, $1.element.order, $1.offset)
        }
        let programs = melodicChannels.prefix(channelsInUse).map {
            MIDIEvent(tick: 0, message: .programChange(channel: UInt8($0), program: 0))
        }
        let events = programs + sorted.map { MIDIEvent(tick: $0.element.tick, message: $0.element.message) }
        self.init(division: division, tracks: [MIDITrack(events: conductor), MIDITrack(events: events)])
    }
}
