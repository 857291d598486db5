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
        while let type = chunkType(at: position) {
            if type == Self.trackType {
                tracks.append(readTrack(index: tracks.count))
            } else {
                otherChunks.append(readOtherChunk(type: type))
            }
        }
        if position < bytes.count {
            warnings.append(MIDIWarning(.strayBytes(bytes.count - position), byte: position))
        }
        guard !tracks.isEmpty else { throw MIDIError(.noTracks, byte: position) }
        if tracks.count != header.trackCount {
            warnings.append(MIDIWarning(.trackCount(declared: header.trackCount, found: tracks.count), byte: 10))
        }
        return MIDIFile(division: header.division, tracks: tracks, otherChunks: otherChunks)
    }
}

// MARK: - Chunks

extension MIDIReader {
    private static let headerType = Array("MThd".utf8)
    private static let trackType = Array("MTrk".utf8)

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
            position = chunkType(at: 8 + length) == nil ? 14 : 8 + length
        }
        return (bigEndian(at: 10, count: 2), division)
    }

    /// The type of the chunk at an offset, or nil where no chunk header of printable letters stands.
    private func chunkType(at offset: Int) -> [UInt8]? {
        guard offset >= 0, offset + 8 <= bytes.count else { return nil }
        let type = Array(bytes[offset..<offset + 4])
        return type.allSatisfy { (0x20...0x7E).contains($0) } ? type : nil
    }

    private mutating func readOtherChunk(type: [UInt8]) -> MIDIChunk {
        let body = position + 8
        let declared = bigEndian(at: position + 4, count: 4)
        let end = min(bytes.count, body + declared)
        if end - body < declared {
            warnings.append(MIDIWarning(.chunkCut(declared: declared, present: end - body), byte: position + 4))
        }
        position = end
        return MIDIChunk(type: type, bytes: Array(bytes[body..<end]))
    }

    /// Reads the track chunk at `position` and moves to what follows it.
    ///
    /// A declared length is trusted where the file ends or a chunk begins at its end. Otherwise the track is read to
    /// its End of Track event, so that a length that lies costs nothing.
    private mutating func readTrack(index: Int) -> MIDITrack {
        let lengthOffset = position + 4
        let body = position + 8
        let declared = bigEndian(at: lengthOffset, count: 4)
        let declaredEnd = body + declared
        let isTrusted = declaredEnd == bytes.count || chunkType(at: declaredEnd) != nil
        if declaredEnd > bytes.count {
            let kind = MIDIWarning.Kind.chunkCut(declared: declared, present: bytes.count - body)
            warnings.append(MIDIWarning(kind, byte: lengthOffset, track: index))
        }

        var reader = MIDITrackReader(bytes: bytes, range: body..<(isTrusted ? declaredEnd : bytes.count), track: index)
        let track = reader.readTrack()
        warnings += reader.warnings
        position = reader.position
        if reader.sawEndOfTrack {
            if isTrusted, position < declaredEnd, chunkType(at: position) != Self.trackType {
                warnings.append(MIDIWarning(.strayBytes(declaredEnd - position), byte: position, track: index))
                position = declaredEnd
            } else if position != declaredEnd, declaredEnd <= bytes.count {
                let kind = MIDIWarning.Kind.wrongLength(declared: declared, actual: position - body)
                warnings.append(MIDIWarning(kind, byte: lengthOffset, track: index))
            }
        } else {
            position = isTrusted ? declaredEnd : nextTrack(from: position)
        }
        return track
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
