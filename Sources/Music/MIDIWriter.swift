extension MIDIFile {
    /// The file's bytes: format 1, every status byte written out, numbers as short as they can be.
    ///
    /// Equal files give equal bytes.
    ///
    /// - Throws: ``MIDIError`` where there is no track, events are out of order, or a number does not fit its field: what
    ///   was written is read again without a loss.
    public func serialized() throws(MIDIError) -> [UInt8] {
        var writer = MIDIWriter()
        try writer.writeHeader(trackCount: tracks.count, division: division)
        for (index, track) in tracks.enumerated() {
            try writer.writeTrack(track, index: index)
        }
        for chunk in otherChunks {
            guard MIDIReader.isChunkType(chunk.type), chunk.type != MIDIReader.trackType else {
                throw MIDIError(.unwritableChunkType(chunk.type))
            }
            try writer.writeChunk(type: chunk.type, body: chunk.bytes)
        }
        return writer.bytes
    }

    /// Writes the file so that what stands at `path` is whole or absent.
    ///
    /// - Throws: ``MIDIError`` as ``serialized()``, ``FileError`` where the path cannot be written.
    public func write(to path: String) throws {
        let bytes: [UInt8]
        do {
            bytes = try serialized()
        } catch var error {
            error.file = path
            throw error
        }
        try WholeFile.write(bytes, to: path)
    }
}

/// Appends chunks to an array of bytes.
private struct MIDIWriter {
    var bytes: [UInt8] = []

    mutating func writeHeader(trackCount: Int, division: Int) throws(MIDIError) {
        guard division != 0 else { throw MIDIError(.zeroDivision) }
        var body: [UInt8] = [0, 1]
        body += try Self.bigEndian(trackCount, count: 2, limit: 0xFFFF, field: "the number of tracks")
        body += try Self.bigEndian(division, count: 2, limit: 0x7FFF, field: "the division")
        guard trackCount > 0 else { throw MIDIError(.noTracks) }
        try writeChunk(type: MIDIReader.headerType, body: body)
    }

    mutating func writeTrack(_ track: MIDITrack, index: Int) throws(MIDIError) {
        var body: [UInt8] = []
        body.reserveCapacity(track.events.count * 5)
        var tick = 0
        for (eventIndex, event) in track.events.enumerated() {
            guard event.tick >= tick else { throw MIDIError(.unsortedEvent(track: index, index: eventIndex)) }
            if let fault = event.message.fault {
                throw MIDIError(
                    .unwritableEvent(
                        track: index, index: eventIndex, field: fault.field, value: fault.value,
                        expected: fault.expected))
            }
            try Self.appendTime(from: tick, to: event.tick, to: &body, field: "a time between events")
            try Self.append(event.message, to: &body)
            tick = event.tick
        }
        try Self.appendTime(
            from: tick, to: max(track.endTick, tick), to: &body, field: "the time before End of Track")
        try Self.append(.meta(type: MetaType.endOfTrack, bytes: []), to: &body)
        try writeChunk(type: MIDIReader.trackType, body: body)
    }

    mutating func writeChunk(type: [UInt8], body: [UInt8]) throws(MIDIError) {
        bytes += type
        bytes += try Self.bigEndian(body.count, count: 4, limit: 0xFFFF_FFFF, field: "the length of a chunk")
        bytes += body
    }

    private static func append(_ message: MIDIMessage, to body: inout [UInt8]) throws(MIDIError) {
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

    private static func appendTime(from start: Int, to end: Int, to body: inout [UInt8], field: String)
        throws(MIDIError)
    {
        guard end <= MIDIFile.largestTick else {
            throw MIDIError(.unwritable(field: "a tick", value: end, limit: MIDIFile.largestTick))
        }
        try appendNumber(end - start, to: &body, field: field)
    }

    private static func appendNumber(_ value: Int, to body: inout [UInt8], field: String) throws(MIDIError) {
        guard (0...MIDIFile.largestNumber).contains(value) else {
            throw MIDIError(.unwritable(field: field, value: value, limit: MIDIFile.largestNumber))
        }
        for shift in [21, 14, 7] where value >> shift > 0 {
            body.append(0x80 | UInt8(value >> shift & 0x7F))
        }
        body.append(UInt8(value & 0x7F))
    }

    private static func bigEndian(_ value: Int, count: Int, limit: Int, field: String) throws(MIDIError) -> [UInt8] {
        guard (0...limit).contains(value) else {
            throw MIDIError(.unwritable(field: field, value: value, limit: limit))
        }
        return (0..<count).reversed().map { UInt8(value >> ($0 * 8) & 0xFF) }
    }
}

// MARK: - What a message may be

extension MIDIMessage {
    /// A number of a message that a reader would not take for it.
    fileprivate struct Fault {
        let field: String
        let value: Int
        let expected: String
    }

    /// The first number that does not fit its field, nil where all do.
    fileprivate var fault: Fault? {
        switch self {
        case .noteOff(let channel, let pitch, let velocity), .noteOn(let channel, let pitch, let velocity):
            Self.fault(channel, [("pitch", pitch), ("velocity", velocity)])
        case .keyPressure(let channel, let pitch, let pressure):
            Self.fault(channel, [("pitch", pitch), ("pressure", pressure)])
        case .controlChange(let channel, let controller, let value):
            Self.fault(channel, [("controller", controller), ("value", value)])
        case .programChange(let channel, let program): Self.fault(channel, [("program", program)])
        case .channelPressure(let channel, let pressure): Self.fault(channel, [("pressure", pressure)])
        case .pitchBend(let channel, let low, let high): Self.fault(channel, [("low", low), ("high", high)])
        case .system(let status, let data): Self.systemFault(status, data)
        case .meta(MetaType.endOfTrack, _):
            Fault(
                field: "meta type", value: Int(MetaType.endOfTrack),
                expected: "another; endTick says where a track ends")
        case .systemExclusive, .meta: nil
        }
    }

    private static func fault(_ channel: UInt8, _ data: [(field: String, value: UInt8)]) -> Fault? {
        guard channel < 16 else { return Fault(field: "channel", value: Int(channel), expected: "0 to 15") }
        return fault(data)
    }

    private static func fault(_ data: [(field: String, value: UInt8)]) -> Fault? {
        data.first { $0.value > 127 }.map { Fault(field: $0.field, value: Int($0.value), expected: "0 to 127") }
    }

    private static func systemFault(_ status: UInt8, _ data: [UInt8]) -> Fault? {
        guard let count = systemDataCount(status) else {
            return Fault(field: "status", value: Int(status), expected: "241 to 246 or 248 to 254")
        }
        guard data.count == count else {
            return Fault(field: "number of data bytes", value: data.count, expected: "\(count)")
        }
        return fault(data.map { ("data byte", $0) })
    }
}
