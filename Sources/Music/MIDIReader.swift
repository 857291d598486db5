/// Reads a Standard MIDI File from bytes, allocating by what is there and never by a declared length.
struct MIDIReader {
    private let bytes: [UInt8]
    private var position = 0
    private(set) var warnings: [MIDIWarning] = []

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads the header and every chunk after it.
    ///
    /// - Throws: ``MIDIError`` where the header is unusable or no track follows. Anything else becomes a warning.
    mutating func readFile() throws -> MIDIFile {
        let header = try readHeader()
        var tracks: [MIDITrack] = []
        var otherChunks: [MIDIChunk] = []
        let start = position
        while position < bytes.count {
            switch chunkType(at: position) {
            case Self.trackType: tracks.append(readTrack(index: tracks.count))
            case let type?: otherChunks.append(readOtherChunk(type: type))
            case nil:
                let next = nextTrack(from: position)
                warnings.append(MIDIWarning(.strayBytes(next - position), byte: position))
                position = next
            }
        }
        guard !tracks.isEmpty else { throw MIDIError(.noTracks, byte: start) }
        if tracks.count != header.trackCount {
            warnings.append(MIDIWarning(.trackCount(declared: header.trackCount, found: tracks.count), byte: 10))
        }
        return MIDIFile(division: header.division, tracks: tracks, otherChunks: otherChunks)
    }
}

// MARK: - Chunks

extension MIDIReader {
    static let headerType = Array("MThd".utf8)
    static let trackType = Array("MTrk".utf8)

    /// Whether bytes are four printable ones, as a chunk's type has to be.
    static func isChunkType(_ bytes: [UInt8]) -> Bool {
        bytes.count == 4 && bytes.allSatisfy { (0x20...0x7E).contains($0) }
    }

    private mutating func readHeader() throws -> (trackCount: Int, division: Int) {
        guard bytes.starts(with: Self.headerType) else { throw MIDIError(.noHeader, byte: 0) }
        guard bytes.count >= 14 else { throw MIDIError(.headerCut, byte: bytes.count) }
        let length = bigEndian(at: 4, count: 4)
        guard length >= 6 else { throw MIDIError(.headerTooShort(length), byte: 4) }
        let format = bigEndian(at: 8, count: 2)
        guard format <= 1 else { throw MIDIError(.unsupportedFormat(format), byte: 8) }
        let division = bigEndian(at: 12, count: 2)
        guard division < 0x8000 else { throw MIDIError(.smpteDivision(division), byte: 12) }
        guard division > 0 else { throw MIDIError(.zeroDivision, byte: 12) }
        position = 14
        if length > 6 {
            warnings.append(MIDIWarning(.longHeader(length), byte: 4))
            position = isChunk(at: 8 + length) ? 8 + length : 14
        }
        return (bigEndian(at: 10, count: 2), division)
    }

    /// The type of the chunk at an offset, or nil where no chunk header of printable letters stands.
    private func chunkType(at offset: Int) -> [UInt8]? {
        guard offset >= 0, offset + 8 <= bytes.count else { return nil }
        let type = Array(bytes[offset..<offset + 4])
        return Self.isChunkType(type) ? type : nil
    }

    /// Whether at an offset stands a track, or a chunk of another type that fits into the file.
    ///
    /// Four printable bytes alone may as well stand in a text, and what follows them there makes a length of megabytes.
    private func isChunk(at offset: Int) -> Bool {
        guard let type = chunkType(at: offset) else { return false }
        return type == Self.trackType || bigEndian(at: offset + 4, count: 4) <= bytes.count - offset - 8
    }

    /// Reads the chunk at `position` and moves to what follows it: where it is longer than the file, the next track.
    private mutating func readOtherChunk(type: [UInt8]) -> MIDIChunk {
        let body = position + 8
        let declared = bigEndian(at: position + 4, count: 4)
        let end = declared <= bytes.count - body ? body + declared : nextTrack(from: body)
        if end - body < declared {
            warnings.append(MIDIWarning(.chunkCut(declared: declared, present: end - body), byte: position + 4))
        }
        position = end
        return MIDIChunk(type: type, bytes: Array(bytes[body..<end]))
    }

    /// Reads the track chunk at `position` and moves to what follows it.
    private mutating func readTrack(index: Int) -> MIDITrack {
        let lengthOffset = position + 4
        let body = position + 8
        let declared = bigEndian(at: lengthOffset, count: 4)
        let declaredEnd = body + declared
        if declaredEnd > bytes.count {
            let kind = MIDIWarning.Kind.chunkCut(declared: declared, present: bytes.count - body)
            warnings.append(MIDIWarning(kind, byte: lengthOffset, track: index))
        }

        let (track, reader, isTrusted) = readEvents(from: body, declaredEnd: declaredEnd, index: index)
        warnings += reader.warnings
        position = reader.position
        if reader.sawEndOfTrack {
            if isTrusted, position < declaredEnd, !isChunk(at: position) {
                let end = min(declaredEnd, nextTrack(from: position))
                warnings.append(MIDIWarning(.strayBytes(end - position), byte: position, track: index))
                position = end
            } else if position != declaredEnd, declaredEnd <= bytes.count {
                let kind = MIDIWarning.Kind.wrongLength(declared: declared, actual: position - body)
                warnings.append(MIDIWarning(kind, byte: lengthOffset, track: index))
            }
        } else {
            position = isTrusted ? declaredEnd : nextTrack(from: position)
        }
        return track
    }

    /// Reads the events of a track, and tells whether they end where its length says.
    ///
    /// A declared length is trusted where the file ends or a chunk begins at its end. Otherwise the track is read to
    /// its End of Track event, so that a length that lies costs nothing. Where the end lies inside an event, a chunk
    /// there that is no track may be part of it; then it is one if no End of Track follows before the next track.
    private func readEvents(
        from body: Int, declaredEnd: Int, index: Int
    ) -> (track: MIDITrack, reader: MIDITrackReader, isTrusted: Bool) {
        let isTrusted = declaredEnd == bytes.count || isChunk(at: declaredEnd)
        var reader = MIDITrackReader(bytes: bytes, range: body..<(isTrusted ? declaredEnd : bytes.count), track: index)
        let track = reader.readTrack()
        if isTrusted, reader.wasCut, declaredEnd < bytes.count, chunkType(at: declaredEnd) != Self.trackType {
            var longer = MIDITrackReader(bytes: bytes, range: body..<nextTrack(from: declaredEnd), track: index)
            let longerTrack = longer.readTrack()
            if longer.sawEndOfTrack { return (longerTrack, longer, false) }
        }
        return (track, reader, isTrusted)
    }

    /// The offset of the next `MTrk` at or after `offset`, or the end of the file.
    private func nextTrack(from offset: Int) -> Int {
        var candidate = offset
        while candidate + 8 <= bytes.count {
            if bytes[candidate] == Self.trackType[0], chunkType(at: candidate) == Self.trackType { return candidate }
            candidate += 1
        }
        return bytes.count
    }

    private func bigEndian(at offset: Int, count: Int) -> Int {
        bytes[offset..<offset + count].reduce(0) { $0 << 8 | Int($1) }
    }
}
