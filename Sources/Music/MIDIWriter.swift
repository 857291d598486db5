extension MIDIFile {
    /// The file's bytes: format 1, every status byte written out, numbers as short as they can be.
    ///
    /// Equal files give equal bytes.
    ///
    /// - Throws: ``MIDIError`` where events are out of order or a number does not fit its field.
    public func serialized() throws -> [UInt8] {
        var writer = MIDIWriter()
        try writer.writeHeader(trackCount: tracks.count, division: division)
        for (index, track) in tracks.enumerated() {
            try writer.writeTrack(track, index: index)
        }
        for chunk in otherChunks {
            try writer.writeChunk(type: chunk.type, body: chunk.bytes)
        }
        return writer.bytes
    }

    /// Writes the file so that what stands at `path` is whole or absent.
    ///
    /// - Throws: ``MIDIError`` as ``serialized()``, ``MusicFileError`` where the path cannot be written.
    public func write(to path: String) throws {
        let bytes: [UInt8]
        do {
            bytes = try serialized()
        } catch var error as MIDIError {
            error.file = path
            throw error
        }
        try AtomicFile.write(bytes, to: path)
    }
}

/// Appends chunks to an array of bytes.
private struct MIDIWriter {
    var bytes: [UInt8] = []

    mutating func writeHeader(trackCount: Int, division: Int) throws {
        var body: [UInt8] = [0, 1]
        body += try Self.bigEndian(trackCount, count: 2, limit: 0xFFFF, field: "the number of tracks")
        body += try Self.bigEndian(division, count: 2, limit: 0x7FFF, field: "the division")
        try writeChunk(type: Array("MThd".utf8), body: body)
    }

    mutating func writeTrack(_ track: MIDITrack, index: Int) throws {
        var body: [UInt8] = []
        body.reserveCapacity(track.events.count * 5)
        var tick = 0
        for (eventIndex, event) in track.events.enumerated() {
            guard event.tick >= tick else { throw MIDIError(.unsortedEvent(track: index, index: eventIndex)) }
            try Self.appendNumber(event.tick - tick, to: &body, field: "a time between events")
            try Self.append(event.message, to: &body)
            tick = event.tick
        }
        try Self.appendNumber(max(track.endTick - tick, 0), to: &body, field: "the time before End of Track")
        try Self.append(.meta(type: MetaType.endOfTrack, bytes: []), to: &body)
        try writeChunk(type: Array("MTrk".utf8), body: body)
    }

    mutating func writeChunk(type: [UInt8], body: [UInt8]) throws {
        bytes += type
        bytes += try Self.bigEndian(body.count, count: 4, limit: 0xFFFF_FFFF, field: "the length of a chunk")
        bytes += body
    }

    private static func append(_ message: MIDIMessage, to body: inout [UInt8]) throws {
        switch message {
        case .noteOff(let channel, let pitch, let velocity): body += [0x80 | channel, pitch, velocity]
        case .noteOn(let channel, let pitch, let velocity): body += [0x90 | channel, pitch, velocity]
        case .keyPressure(let channel, let pitch, let pressure): body += [0xA0 | channel, pitch, pressure]
        case .controlChange(let channel, let controller, let value): body += [0xB0 | channel, controller, value]
        case .programChange(let channel, let program): body += [0xC0 | channel, program]
        case .channelPressure(let channel, let pressure): body += [0xD0 | channel, pressure]
        case .pitchBend(let channel, let low, let high): body += [0xE0 | channel, low, high]
        case .system(let status, let data): body += [status] + data
        case .systemExclusive(let isContinuation, let data):
            body.append(isContinuation ? 0xF7 : 0xF0)
            try appendNumber(data.count, to: &body, field: "the length of system exclusive data")
            body += data
        case .meta(let type, let data):
            body += [0xFF, type]
            try appendNumber(data.count, to: &body, field: "the length of a meta event")
            body += data
        }
    }

    private static func appendNumber(_ value: Int, to body: inout [UInt8], field: String) throws {
        guard (0...MIDIFile.largestNumber).contains(value) else {
            throw MIDIError(.unwritable(field: field, value: value, limit: MIDIFile.largestNumber))
        }
        for shift in [21, 14, 7] where value >> shift > 0 {
            body.append(0x80 | UInt8(value >> shift & 0x7F))
        }
        body.append(UInt8(value & 0x7F))
    }

    private static func bigEndian(_ value: Int, count: Int, limit: Int, field: String) throws -> [UInt8] {
        guard (0...limit).contains(value) else {
            throw MIDIError(.unwritable(field: field, value: value, limit: limit))
        }
        return (0..<count).reversed().map { UInt8(value >> ($0 * 8) & 0xFF) }
    }
}
