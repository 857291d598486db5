/// One message of a Standard MIDI File, kept without loss.
///
/// Channels count from 0. Data bytes lie in 0...127.
public enum MIDIMessage: Sendable, Hashable {
    /// Releases a key (status 8n).
    case noteOff(channel: UInt8, pitch: UInt8, velocity: UInt8)
    /// Strikes a key (status 9n); velocity 0 releases it.
    case noteOn(channel: UInt8, pitch: UInt8, velocity: UInt8)
    /// Pressure on one key (status An).
    case keyPressure(channel: UInt8, pitch: UInt8, pressure: UInt8)
    /// A controller's new value (status Bn), the sustain pedal being controller 64.
    case controlChange(channel: UInt8, controller: UInt8, value: UInt8)
    /// The instrument of a channel (status Cn).
    case programChange(channel: UInt8, program: UInt8)
    /// Pressure on a whole channel (status Dn).
    case channelPressure(channel: UInt8, pressure: UInt8)
    /// Pitch bend (status En), least significant seven bits first.
    case pitchBend(channel: UInt8, low: UInt8, high: UInt8)
    /// System exclusive data: status F0 begins a message, F7 continues or escapes. The bytes follow the length.
    case systemExclusive(isContinuation: Bool, bytes: [UInt8])
    /// A system common or real-time message (F1–F6, F8–FE), which a file should not hold but some do.
    case system(status: UInt8, bytes: [UInt8])
    /// A meta event (status FF) of any type, known here or not.
    case meta(type: UInt8, bytes: [UInt8])
}

extension MIDIMessage {
    /// The channel and pitch that the message strikes, if it strikes a key.
    var struckKey: (channel: UInt8, pitch: UInt8, velocity: UInt8)? {
        guard case .noteOn(let channel, let pitch, let velocity) = self, velocity > 0 else { return nil }
        return (channel, pitch, velocity)
    }

    /// How many data bytes follow the status of a system message; nil where the status is of another kind.
    static func systemDataCount(_ status: UInt8) -> Int? {
        switch status {
        case 0xF1, 0xF3: 1
        case 0xF2: 2
        case 0xF4...0xF6, 0xF8...0xFE: 0
        default: nil
        }
    }

    /// The channel and pitch that the message releases: a note-off, or a note-on of velocity 0.
    var releasedKey: (channel: UInt8, pitch: UInt8)? {
        switch self {
        case .noteOff(let channel, let pitch, _), .noteOn(let channel, let pitch, 0): (channel, pitch)
        default: nil
        }
    }
}

/// A message and the time at which it happens.
public struct MIDIEvent: Sendable, Hashable {
    /// Ticks from the start of the file.
    public var tick: Int
    /// What happens.
    public var message: MIDIMessage

    /// Makes an event.
    public init(tick: Int, message: MIDIMessage) {
        self.tick = tick
        self.message = message
    }
}

/// One track: its events in file order and the tick of its end.
public struct MIDITrack: Sendable, Hashable {
    /// The events by tick ascending, those of one tick in the order of the file, without End of Track.
    public var events: [MIDIEvent]
    /// The tick of the End of Track event; a writer never ends a track before its last event.
    public var endTick: Int

    /// Makes a track; without `endTick` it ends at its last event.
    public init(events: [MIDIEvent], endTick: Int? = nil) {
        self.events = events
        self.endTick = max(endTick ?? 0, events.last?.tick ?? 0)
    }
}

/// A chunk that is neither header nor track, kept as it came.
public struct MIDIChunk: Sendable, Hashable {
    /// The four bytes of its type.
    public var type: [UInt8]
    /// Its contents.
    public var bytes: [UInt8]

    /// Makes a chunk.
    public init(type: [UInt8], bytes: [UInt8]) {
        self.type = type
        self.bytes = bytes
    }
}

/// The meta event types that this module reads or writes.
enum MetaType {
    static let trackName: UInt8 = 0x03
    static let endOfTrack: UInt8 = 0x2F
    static let tempo: UInt8 = 0x51
    static let timeSignature: UInt8 = 0x58
}
