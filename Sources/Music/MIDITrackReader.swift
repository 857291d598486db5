/// Reads the events of one track chunk until End of Track, the end of its bytes or something unreadable.
struct MIDITrackReader {
    private let bytes: [UInt8]
    private let end: Int
    private let track: Int
    private(set) var position: Int
    private(set) var warnings: [MIDIWarning] = []
    private(set) var sawEndOfTrack = false
    /// Whether the bytes ended inside an event.
    private(set) var wasCut = false

    private var runningStatus: UInt8?
    private var runningStatusIsStale = false

    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - range: The track's bytes within it.
    ///   - track: The track's index, for warnings.
    init(bytes: [UInt8], range: Range<Int>, track: Int) {
        self.bytes = bytes
        self.end = range.upperBound
        self.position = range.lowerBound
        self.track = track
    }

    /// The events up to the end; what stops the reading early becomes a warning.
    mutating func readTrack() -> MIDITrack {
        var events: [MIDIEvent] = []
        var tick = 0
        while position < end {
            let start = position
            do throws(Stop) {
                tick += try readNumber()
                guard tick <= MIDIFile.largestTick else { throw Stop(.tickTooLarge) }
                let message = try readMessage()
                if case .meta(MetaType.endOfTrack, _) = message {
                    sawEndOfTrack = true
                    return MIDITrack(events: events, endTick: tick)
                }
                events.append(MIDIEvent(tick: tick, message: message))
            } catch {
                wasCut = error.reason.isEnd
                warnings.append(MIDIWarning(.stopped(error.reason), byte: start, track: track))
                return MIDITrack(events: events)
            }
        }
        warnings.append(MIDIWarning(.noEndOfTrack, byte: position, track: track))
        return MIDITrack(events: events)
    }
}

// MARK: - Events

extension MIDITrackReader {
    private struct Stop: Error {
        let reason: MIDIWarning.StopReason

        init(_ reason: MIDIWarning.StopReason) {
            self.reason = reason
        }
    }

    private mutating func readMessage() throws(Stop) -> MIDIMessage {
        guard position < end else { throw Stop(.cut) }
        let first = bytes[position]
        guard first >= 0x80 else {
            guard let runningStatus else { throw Stop(.noStatus) }
            if runningStatusIsStale {
                warnOnce(.runningStatusAfterMeta)
            }
            return try readChannelMessage(status: runningStatus)
        }
        position += 1
        if first < 0xF0 {
            runningStatus = first
            runningStatusIsStale = false
            return try readChannelMessage(status: first)
        }
        runningStatusIsStale = true
        switch first {
        case 0xF0, 0xF7: return .systemExclusive(isContinuation: first == 0xF7, bytes: try readBlock())
        case 0xFF:
            let type = try readByte()
            return .meta(type: type, bytes: try readBlock())
        default:
            var data: [UInt8] = []
            for _ in 0..<(MIDIMessage.systemDataCount(first) ?? 0) { data.append(try readDataByte()) }
            return .system(status: first, bytes: data)
        }
    }

    private mutating func readChannelMessage(status: UInt8) throws(Stop) -> MIDIMessage {
        let channel = status & 0x0F
        let first = try readDataByte()
        switch status & 0xF0 {
        case 0x80: return .noteOff(channel: channel, pitch: first, velocity: try readDataByte())
        case 0x90: return .noteOn(channel: channel, pitch: first, velocity: try readDataByte())
        case 0xA0: return .keyPressure(channel: channel, pitch: first, pressure: try readDataByte())
        case 0xB0: return .controlChange(channel: channel, controller: first, value: try readDataByte())
        case 0xC0: return .programChange(channel: channel, program: first)
        case 0xD0: return .channelPressure(channel: channel, pressure: first)
        default: return .pitchBend(channel: channel, low: first, high: try readDataByte())
        }
    }
}

extension MIDIWarning.StopReason {
    /// Whether more bytes would have been needed.
    fileprivate var isEnd: Bool {
        switch self {
        case .cut, .lengthPastEnd: true
        default: false
        }
    }
}

// MARK: - Bytes and numbers

extension MIDITrackReader {
    private mutating func readByte() throws(Stop) -> UInt8 {
        guard position < end else { throw Stop(.cut) }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func readDataByte() throws(Stop) -> UInt8 {
        let byte = try readByte()
        guard byte < 0x80 else { throw Stop(.badDataByte(Int(byte))) }
        return byte
    }

    /// A variable-length number: seven bits a byte, most significant first.
    ///
    /// The standard allows four bytes; a fifth is read where it is padding.
    private mutating func readNumber() throws(Stop) -> Int {
        var value = 0
        for count in 1...5 {
            let byte = try readByte()
            value = value << 7 | Int(byte & 0x7F)
            guard value <= MIDIFile.largestNumber else { throw Stop(.numberTooLarge) }
            if byte < 0x80 {
                if count == 5 {
                    warnOnce(.longNumber)
                }
                return value
            }
        }
        throw Stop(.numberTooLarge)
    }

    /// A length and as many bytes.
    private mutating func readBlock() throws(Stop) -> [UInt8] {
        let length = try readNumber()
        guard length <= end - position else {
            throw Stop(.lengthPastEnd(declared: length, present: end - position))
        }
        defer { position += length }
        return Array(bytes[position..<position + length])
    }

    private mutating func warnOnce(_ kind: MIDIWarning.Kind) {
        guard !warnings.contains(where: { $0.kind == kind }) else { return }
        warnings.append(MIDIWarning(kind, byte: position, track: track))
    }
}
