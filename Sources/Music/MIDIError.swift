/// Why a MIDI file cannot be read or written.
public struct MIDIError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong.
    public enum Problem: Sendable, Equatable {
        /// The file does not begin with the header chunk `MThd`.
        case noHeader
        /// The file ends inside its header.
        case headerCut
        /// The header's declared length is below six bytes.
        case headerTooShort(Int)
        /// A format other than 0 and 1; format 2 holds independent sequences.
        case unsupportedFormat(Int)
        /// Time in frames per second instead of ticks per quarter note.
        case smpteDivision(Int)
        /// No ticks in a quarter note.
        case zeroDivision
        /// No track chunk follows the header.
        case noTracks
        /// An event that lies before its predecessor in the track, found when writing.
        case unsortedEvent(track: Int, index: Int)
        /// A number that its field in the file cannot hold, found when writing.
        case unwritable(field: String, value: Int, limit: Int)
        /// A number in an event that would make it another event, or none, found when writing.
        case unwritableEvent(track: Int, index: Int, field: String, value: Int, expected: String)
        /// A type of a chunk that is no type, or a track's, found when writing.
        case unwritableChunkType([UInt8])
        /// A tempo that a tempo event cannot hold, in quarter notes per minute.
        case unwritableTempo(Double)
    }

    /// The file, where known.
    public var file: String?
    /// Offset of the offending byte, where there is one.
    public var byte: Int?
    /// What is wrong.
    public var problem: Problem

    /// Makes an error.
    public init(_ problem: Problem, file: String? = nil, byte: Int? = nil) {
        self.problem = problem
        self.file = file
        self.byte = byte
    }

    /// One line: the file, the byte, what was expected, what came and what to do.
    public var description: String {
        let place = [file ?? "MIDI data", byte.map { "byte \($0)" }].compactMap(\.self).joined(separator: ", ")
        return "\(place): \(problem.explanation)"
    }
}

extension MIDIError.Problem {
    fileprivate var explanation: String {
        switch self {
        case .noHeader: "expected a Standard MIDI File, which begins with MThd; give a .mid file"
        case .headerCut: "the file ends inside its header of 14 bytes; get the file again"
        case .headerTooShort(let length): "the header declares \(length) bytes, at least 6 are needed"
        case .unsupportedFormat(let format): "format \(format), expected 0 or 1; export the piece as format 1"
        case .smpteDivision(let division):
            "division \(division) is SMPTE time, expected ticks per quarter note; export the piece in musical time"
        case .zeroDivision: "the division is 0 ticks per quarter note, expected 1 to 32767"
        case .noTracks: "no track chunk (MTrk) follows the header, expected at least one"
        case .unsortedEvent(let track, let index):
            "event \(index) of track \(track) lies before the event in front of it; sort the events by tick"
        case .unwritable(let field, let value, let limit): "\(field) is \(value), a MIDI file holds 0 to \(limit)"
        case .unwritableEvent(let track, let index, let field, let value, let expected):
            "event \(index) of track \(track): \(field) is \(value), expected \(expected)"
        case .unwritableChunkType(let type):
            "a chunk of the type \(type), expected four printable bytes other than MTrk"
        case .unwritableTempo(let tempo):
            "a tempo of \(tempo) quarter notes per minute, "
                + "expected \(Tempo.range.lowerBound) to \(Tempo.range.upperBound)"
        }
    }
}

/// Something odd in a MIDI file that did not keep its notes from being read.
public struct MIDIWarning: Sendable, Hashable, CustomStringConvertible {
    /// What is odd.
    public enum Kind: Sendable, Hashable {
        /// The header declares more or fewer tracks than there are.
        case trackCount(declared: Int, found: Int)
        /// The header is longer than six bytes; the rest was passed over.
        case longHeader(Int)
        /// A chunk declares more bytes than the file has.
        case chunkCut(declared: Int, present: Int)
        /// A track goes on after, or ends before, its declared length.
        case wrongLength(declared: Int, actual: Int)
        /// A track has no End of Track event.
        case noEndOfTrack
        /// Bytes that belong to no chunk.
        case strayBytes(Int)
        /// A number of more than four bytes.
        case longNumber
        /// Running status after a meta or system event, which ends it by the standard; the last one was used.
        case runningStatusAfterMeta
        /// The track could not be read further; the events so far were kept.
        case stopped(StopReason)
        /// Notes that are never released; they were left out.
        case unreleasedNotes(Int)
        /// Notes released at the tick at which they begin.
        case zeroLengthNotes(Int)
        /// Releases of keys that are not down.
        case strayReleases(Int)
    }

    /// Why the rest of a track is unreadable.
    public enum StopReason: Sendable, Hashable {
        /// The bytes end inside an event.
        case cut
        /// A length points past the end of the track.
        case lengthPastEnd(declared: Int, present: Int)
        /// A data byte where no status has come yet.
        case noStatus
        /// A status byte where a data byte should be.
        case badDataByte(Int)
        /// A number above 28 bits.
        case numberTooLarge
        /// Time past 2³¹ − 1 ticks.
        case tickTooLarge
    }

    /// What is odd.
    public var kind: Kind
    /// Offset of the byte, where there is one.
    public var byte: Int?
    /// Index of the track, where there is one.
    public var track: Int?

    /// Makes a warning.
    public init(_ kind: Kind, byte: Int? = nil, track: Int? = nil) {
        self.kind = kind
        self.byte = byte
        self.track = track
    }

    /// One line: byte, track and what is odd.
    public var description: String {
        let place = [byte.map { "byte \($0)" }, track.map { "track \($0)" }].compactMap(\.self)
        return (place + [kind.explanation]).joined(separator: ", ")
    }
}

extension MIDIWarning.Kind {
    fileprivate var explanation: String {
        switch self {
        case .trackCount(let declared, let found): "the header declares \(declared) tracks, \(found) are there"
        case .longHeader(let length): "a header of \(length) bytes, 6 were read"
        case .chunkCut(let declared, let present): "a chunk declares \(declared) bytes, \(present) are there"
        case .wrongLength(let declared, let actual): "declared \(declared) bytes long, \(actual) were read"
        case .noEndOfTrack: "no End of Track event"
        case .strayBytes(let count): "\(count) bytes that belong to no chunk were passed over"
        case .longNumber: "a number of more than four bytes"
        case .runningStatusAfterMeta: "running status after a meta event, taken as the last channel status"
        case .stopped(let reason): "unreadable from here on, the events before were kept: \(reason.explanation)"
        case .unreleasedNotes(let count): "\(count) notes are never released and were left out"
        case .zeroLengthNotes(let count): "\(count) notes have no length"
        case .strayReleases(let count): "\(count) releases of keys that are not down"
        }
    }
}

extension MIDIWarning.StopReason {
    fileprivate var explanation: String {
        switch self {
        case .cut: "it ends inside an event"
        case .lengthPastEnd(let declared, let present): "an event declares \(declared) bytes, \(present) are there"
        case .noStatus: "data without a status byte"
        case .badDataByte(let byte): "\(byte) where a data byte (0 to 127) was expected"
        case .numberTooLarge: "a number above 28 bits"
        case .tickTooLarge: "time past 2147483647 ticks"
        }
    }
}
