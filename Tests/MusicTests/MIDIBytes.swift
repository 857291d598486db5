/// Builds MIDI files byte by byte, right or wrong.
enum MIDIBytes {
    static let endOfTrack: [UInt8] = [0, 0xFF, 0x2F, 0]

    static func header(format: Int = 1, tracks: Int = 1, division: Int = 480, length: Int = 6) -> [UInt8] {
        Array("MThd".utf8) + big(length, 4) + big(format, 2) + big(tracks, 2) + big(division, 2)
    }

    static func track(_ body: [UInt8], length: Int? = nil) -> [UInt8] {
        Array("MTrk".utf8) + big(length ?? body.count, 4) + body
    }

    /// A file of one track, with End of Track.
    static func file(_ events: [UInt8]) -> [UInt8] {
        header() + track(events + endOfTrack)
    }

    static func big(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    /// A note of pitch 60 and velocity 80 from tick 0 to tick 96.
    static let note: [UInt8] = [0, 0x90, 60, 80, 96, 0x80, 60, 0]
}
