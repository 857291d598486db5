/// A note of a MIDI file: a key struck and released.
public struct Note: Sendable, Hashable, Codable {
    /// The channel that General MIDI gives to percussion, counted from 0.
    public static let drumChannel = 9

    /// Onset, in ticks from the start of the file.
    public var tick: Int
    /// Length in ticks, at least 0.
    public var duration: Int
    /// MIDI pitch, 60 being middle C.
    public var pitch: Int
    /// How hard the key is struck, 1...127.
    public var velocity: Int
    /// Index of the track.
    public var track: Int
    /// Channel, counted from 0.
    public var channel: Int

    /// Makes a note.
    public init(tick: Int, duration: Int, pitch: Int, velocity: Int, track: Int = 0, channel: Int = 0) {
        self.tick = tick
        self.duration = duration
        self.pitch = pitch
        self.velocity = velocity
        self.track = track
        self.channel = channel
    }

    /// Whether the note is percussion, which has no pitch in the musical sense.
    public var isDrum: Bool { channel == Self.drumChannel }

    /// The order of the tokeniser: by (tick, duration, pitch, velocity), equal notes by track and channel.
    static func precedes(_ a: Note, _ b: Note) -> Bool {
        (a.tick, a.duration, a.pitch, a.velocity, a.track, a.channel)
            < (b.tick, b.duration, b.pitch, b.velocity, b.track, b.channel)
    }
}

extension MIDIFile {
    /// The notes of a file and what was odd about them.
    public struct Notes: Sendable {
        /// The notes by (tick, duration, pitch, velocity).
        public let notes: [Note]
        /// Notes without release or length, by track.
        public let warnings: [MIDIWarning]

        /// The notes that are not percussion.
        public var pitched: [Note] { notes.filter { !$0.isDrum } }
    }

    /// Pairs strikes with releases.
    ///
    /// In each track, a release ends the note of its channel and pitch that has sounded longest; a strike of velocity 0
    /// is a release; a note without release is left out. This is the rule of symusic, on which MidiTok's ids rest.
    public func notes() -> Notes {
        var notes: [Note] = []
        var warnings: [MIDIWarning] = []
        for (index, track) in tracks.enumerated() {
            let pairing = NotePairing(track, index: index)
            notes += pairing.pairs.map(\.note)
            warnings += pairing.warnings
        }
        notes.sort(by: Note.precedes)
        return Notes(notes: notes, warnings: warnings)
    }
}

/// The strikes of a track with their releases, as indices into its events.
struct NotePairing {
    /// A note with the events that strike and release it.
    struct Pair {
        let note: Note
        let strike: Int
        let release: Int
    }

    /// The pairs in the order of their releases.
    private(set) var pairs: [Pair] = []
    /// Strikes that are never released.
    private(set) var unreleased: [Int] = []
    /// Releases of keys that are not down.
    private(set) var strayReleases: [Int] = []

    private let track: Int

    /// Pairs the events of the track with that index, first in, first out for each channel and pitch.
    init(_ track: MIDITrack, index: Int) {
        self.track = index
        // A queue for each key, linked through the indices of the events; -1 ends it.
        var first = [Int32](repeating: -1, count: 16 * 128)
        var last = first
        var next = [Int32](repeating: -1, count: track.events.count)
        pairs.reserveCapacity(track.events.count / 2)
        for (position, event) in track.events.enumerated() {
            if let struck = event.message.struckKey {
                let key = Self.key(struck.channel, struck.pitch)
                if first[key] < 0 {
                    first[key] = Int32(position)
                } else {
                    next[Int(last[key])] = Int32(position)
                }
                last[key] = Int32(position)
            } else if let released = event.message.releasedKey {
                let key = Self.key(released.channel, released.pitch)
                let strike = Int(first[key])
                guard strike >= 0, let struck = track.events[strike].message.struckKey else {
                    strayReleases.append(position)
                    continue
                }
                let onset = track.events[strike].tick
                let note = Note(
                    tick: onset, duration: event.tick - onset, pitch: Int(struck.pitch),
                    velocity: Int(struck.velocity), track: index, channel: Int(struck.channel))
                pairs.append(Pair(note: note, strike: strike, release: position))
                first[key] = next[strike]
            }
        }
        for var strike in first {
            while strike >= 0 {
                unreleased.append(Int(strike))
                strike = next[Int(strike)]
            }
        }
    }

    private static func key(_ channel: UInt8, _ pitch: UInt8) -> Int {
        Int(channel & 0x0F) << 7 | Int(pitch & 0x7F)
    }

    /// What is odd about the notes of the track.
    var warnings: [MIDIWarning] {
        let zeroLength = pairs.count { $0.note.duration == 0 }
        let kinds: [(kind: MIDIWarning.Kind, count: Int)] = [
            (.unreleasedNotes(unreleased.count), unreleased.count),
            (.zeroLengthNotes(zeroLength), zeroLength),
            (.strayReleases(strayReleases.count), strayReleases.count),
        ]
        return kinds.filter { $0.count > 0 }.map { MIDIWarning($0.kind, track: track) }
    }
}
