import Music
import Testing
import _TestSupport

@Suite("Reading MIDI files")
struct MIDIReadingTests {
    private let oneNote = [Note(tick: 0, duration: 96, pitch: 60, velocity: 80)]

    private func notes(_ bytes: [UInt8]) throws -> (notes: [Note], warnings: [MIDIWarning]) {
        let reading = try MIDIFile.read(bytes)
        let notes = reading.file.notes()
        return (notes.notes, reading.warnings + notes.warnings)
    }

    // MARK: - What is refused

    @Test(
        "A header that cannot be used is an error that names the byte",
        arguments: [
            ([], .noHeader, 0),
            (Array("RIFF".utf8), .noHeader, 0),
            (Array(MIDIBytes.header().prefix(11)), .headerCut, 11),
            (MIDIBytes.header(length: 5), .headerTooShort(5), 4),
            (MIDIBytes.header(format: 2), .unsupportedFormat(2), 8),
            (MIDIBytes.header(division: 0xE728), .smpteDivision(0xE728), 12),
            (MIDIBytes.header(division: 0), .zeroDivision, 12),
            (MIDIBytes.header(), .noTracks, 14),
            (MIDIBytes.header() + [1, 2, 3, 4, 5, 6, 7, 8, 9], .noTracks, 14),
        ] as [([UInt8], MIDIError.Problem, Int)])
    func refusals(bytes: [UInt8], problem: MIDIError.Problem, byte: Int) throws {
        #expect(throws: MIDIError(problem, byte: byte)) { try MIDIFile.read(bytes) }
    }

    @Test("An error of a file names the file")
    func errorsNameTheFile() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("bad.mid")
        try WholeFile.write(MIDIBytes.header(format: 2) + MIDIBytes.track(MIDIBytes.endOfTrack), to: path)
        let error = try #require(throws: MIDIError.self) { try MIDIFile.read(path: path) }
        #expect(error.description == "\(path), byte 8: format 2, expected 0 or 1; export the piece as format 1")
        #expect(throws: FileError.self) { try MIDIFile.read(path: folder.path("absent.mid")) }
    }

    // MARK: - What is odd

    @Test("Running status, also after a meta event, system exclusive data and real-time bytes")
    func runningStatus() throws {
        let events: [UInt8] = [
            0, 0x90, 60, 80, 10, 62, 70,  // running status
            0, 0xFF, 1, 1, 65, 5, 60, 0,  // after a meta event
            0, 0xF0, 2, 1, 0xF7, 0, 0xF8, 1, 62, 0,  // after system exclusive and clock
        ]
        let (notes, warnings) = try notes(MIDIBytes.file(events))
        #expect(
            notes == [
                Note(tick: 0, duration: 15, pitch: 60, velocity: 80),
                Note(tick: 10, duration: 6, pitch: 62, velocity: 70),
            ])
        #expect(warnings.map(\.kind) == [.runningStatusAfterMeta])
    }

    @Test(
        "A length that points past the end, is short, or is absurd costs nothing",
        arguments: [0, 3, 9, 5000, 0xFFFF_FFFF])
    func lyingTrackLength(length: Int) throws {
        let second = MIDIBytes.track([0, 0x91, 64, 90, 4, 0x81, 64, 0] + MIDIBytes.endOfTrack)
        let bytes =
            MIDIBytes.header(tracks: 2) + MIDIBytes.track(MIDIBytes.note + MIDIBytes.endOfTrack, length: length)
            + second
        let (notes, warnings) = try notes(bytes)
        #expect(notes == [Note(tick: 0, duration: 4, pitch: 64, velocity: 90, track: 1, channel: 1)] + oneNote)
        #expect(warnings.contains { $0.byte == 18 && $0.track == 0 })
    }

    /// Two tracks whose events hold texts, one of them a chunk's first eight bytes, and a chunk between the tracks.
    @Test("No length of a track costs notes or tracks, wherever it points")
    func everyTrackLength() throws {
        let text: [UInt8] = [0, 0xFF, 1, 24] + Array("printable text, printable".utf8.prefix(24))
        let data: [UInt8] = [0, 0xF0, 11] + Array("abcd".utf8) + [0, 0, 0, 2, 1, 2, 0xF7]
        let first = MIDIBytes.note + text + MIDIBytes.note + data + MIDIBytes.note + MIDIBytes.endOfTrack
        let second = text + [0, 0x91, 64, 90, 4, 0x81, 64, 0] + MIDIBytes.endOfTrack
        for other in [[], Array("XYZW".utf8) + MIDIBytes.big(3, 4) + [9, 8, 7]] {
            func bytes(_ length: Int) -> [UInt8] {
                MIDIBytes.header(tracks: 3) + MIDIBytes.track(first, length: length) + other
                    + MIDIBytes.track(second) + MIDIBytes.track(second)
            }
            let truth = try MIDIFile.read(bytes(first.count))
            #expect(truth.warnings.isEmpty && truth.file.notes().notes.count == 5)
            for length in 0...bytes(0).count where length != first.count {
                let reading = try MIDIFile.read(bytes(length))
                #expect(reading.file == truth.file, "length \(length), not \(first.count)")
                #expect(reading.warnings.contains { $0.byte == 18 && $0.track == 0 })
            }
        }
    }

    @Test("A chunk of another type that is longer than the file ends at the next track")
    func longChunk() throws {
        let other = Array("XYZW".utf8) + MIDIBytes.big(5000, 4) + [9, 8, 7]
        let track = MIDIBytes.track(MIDIBytes.note + MIDIBytes.endOfTrack)
        let reading = try MIDIFile.read(MIDIBytes.header(tracks: 2) + track + other + track)
        #expect(reading.file.tracks.count == 2 && reading.file.tracks[0] == reading.file.tracks[1])
        #expect(reading.file.otherChunks == [MIDIChunk(type: Array("XYZW".utf8), bytes: [9, 8, 7])])
        #expect(reading.warnings.map(\.kind) == [.chunkCut(declared: 5000, present: 3)])
        let stray = try MIDIFile.read(MIDIBytes.header(tracks: 2) + track + [0, 1] + track)
        #expect(stray.file == MIDIFile(division: 480, tracks: reading.file.tracks))
        #expect(stray.warnings.map(\.kind) == [.strayBytes(2)])
    }

    /// The length is true, and what it cuts stays cut.
    @Test("A track that is cut before a chunk of another type does not read on into it")
    func cutBeforeAChunk() throws {
        for cut in [[0, 0x90, 60], [0, 0xFF, 1, 40, 65]] as [[UInt8]] {
            let other = Array("XYZW".utf8) + MIDIBytes.big(3, 4) + [9, 8, 7]
            let last = MIDIBytes.track(MIDIBytes.note + MIDIBytes.endOfTrack)
            let bytes = MIDIBytes.header(tracks: 2) + MIDIBytes.track(MIDIBytes.note + cut) + other + last
            let reading = try MIDIFile.read(bytes)
            #expect(reading.file.tracks.map(\.events.count) == [2, 2])
            #expect(reading.file.otherChunks.count == 1)
            #expect(reading.warnings.count == 1 && reading.warnings[0].byte == 30)
        }
    }

    @Test("A length inside an event that is absurd stops the track and keeps its notes")
    func lyingEventLength() throws {
        let meta: [UInt8] = [0, 0xFF, 1, 0xFF, 0xFF, 0xFF, 0x7F]
        let (notes, warnings) = try notes(MIDIBytes.file(MIDIBytes.note + meta))
        #expect(notes == oneNote)
        #expect(
            warnings == [MIDIWarning(.stopped(.lengthPastEnd(declared: 0x0FFF_FFFF, present: 4)), byte: 30, track: 0)])
    }

    @Test("An event that is one byte longer than the track stops it, one that fits exactly does not")
    func eventLengthBounds() throws {
        for (length, kind) in [
            (3, MIDIWarning.Kind.noEndOfTrack), (4, .stopped(.lengthPastEnd(declared: 4, present: 3))),
        ] {
            let bytes = MIDIBytes.header() + MIDIBytes.track([0, 0xFF, 1, UInt8(length), 65, 66, 67])
            let reading = try MIDIFile.read(bytes)
            #expect(reading.warnings.map(\.kind) == [kind])
            #expect(reading.file.tracks[0].events.count == (length == 3 ? 1 : 0))
        }
    }

    @Test("After a track that is broken and lies about its length, the next track is found", arguments: [2, 5000])
    func resynchronisation(length: Int) throws {
        let broken = MIDIBytes.track(MIDIBytes.note + [0, 0x90, 60, 0xF5, 1, 2], length: length)
        let second = MIDIBytes.track([0, 0x91, 64, 90, 4, 0x81, 64, 0] + MIDIBytes.endOfTrack)
        let (notes, warnings) = try notes(MIDIBytes.header(tracks: 2) + broken + second)
        #expect(notes == [Note(tick: 0, duration: 4, pitch: 64, velocity: 90, track: 1, channel: 1)] + oneNote)
        #expect(warnings.contains { $0.kind == .stopped(.badDataByte(0xF5)) && $0.byte == 30 })
    }

    @Test("A file cut at any byte gives an error or the notes before the cut")
    func cutFiles() throws {
        let second: [UInt8] = [0, 0x90, 62, 80, 96, 0x80, 62, 0]
        let whole = MIDIBytes.file(MIDIBytes.note + second)
        for count in 0..<whole.count {
            let bytes = Array(whole.prefix(count))
            guard count >= 22 else {
                #expect(throws: MIDIError.self, "cut to \(count) bytes") { try MIDIFile.read(bytes) }
                continue
            }
            let (notes, warnings) = try notes(bytes)
            #expect(notes.count == (count >= 38 ? 2 : count >= 30 ? 1 : 0), "cut to \(count) bytes")
            #expect(!warnings.isEmpty, "cut to \(count) bytes")
        }
    }

    @Test("Numbers of five bytes: padding is read, more than 28 bits stops the track")
    func longNumbers() throws {
        let padded: [UInt8] = [0, 0x90, 60, 80, 0x80, 0x80, 0x80, 0x80, 96, 0x80, 60, 0]
        var result = try notes(MIDIBytes.file(padded))
        #expect(result.notes == oneNote)
        #expect(result.warnings.map(\.kind) == [.longNumber])
        let large: [UInt8] = MIDIBytes.note + [0x81, 0x80, 0x80, 0x80, 0, 0x90, 60, 80]
        result = try notes(MIDIBytes.file(large))
        #expect(result.notes == oneNote)
        #expect(result.warnings.map(\.kind) == [.stopped(.numberTooLarge)])
    }

    @Test("Time beyond 31 bits stops the track")
    func hugeTicks() throws {
        let wait: [UInt8] = [0xFF, 0xFF, 0xFF, 0x7F, 0xB0, 7, 1]
        let (notes, warnings) = try notes(
            MIDIBytes.file(MIDIBytes.note + Array(repeatElement(wait, count: 9).joined())))
        #expect(notes == oneNote)
        #expect(warnings.map(\.kind) == [.stopped(.tickTooLarge)])
    }

    @Test(
        "Bytes that are no event stop the track",
        arguments: [
            ([0, 60, 80], .noStatus), ([0, 0x90, 60, 0x85], .badDataByte(0x85)), ([0, 0x90, 60], .cut),
        ] as [([UInt8], MIDIWarning.StopReason)])
    func unreadableEvents(events: [UInt8], reason: MIDIWarning.StopReason) throws {
        let (notes, warnings) = try notes(MIDIBytes.header() + MIDIBytes.track(events))
        #expect(notes.isEmpty)
        #expect(warnings.first?.kind == .stopped(reason))
        #expect(warnings.first?.byte == 22)
    }

    @Test("Counts, long headers, other chunks and stray bytes are warned about and passed over")
    func oddChunks() throws {
        let other = Array("XYZW".utf8) + MIDIBytes.big(3, 4) + [9, 8, 7]
        let bytes =
            MIDIBytes.header(tracks: 7, length: 8) + [0xAA, 0xBB] + other
            + MIDIBytes.track(MIDIBytes.note + MIDIBytes.endOfTrack + [1, 2]) + [0, 0]
        let reading = try MIDIFile.read(bytes)
        #expect(reading.file.notes().notes == oneNote)
        #expect(reading.file.otherChunks == [MIDIChunk(type: Array("XYZW".utf8), bytes: [9, 8, 7])])
        let kinds = reading.warnings.map(\.kind)
        #expect(kinds.contains(.longHeader(8)) && kinds.contains(.trackCount(declared: 7, found: 1)))
        #expect(kinds.filter { if case .strayBytes = $0 { true } else { false } }.count >= 1)
    }

    @Test("A tempo of zero or of four bytes is no tempo; the event stays")
    func absurdTempo() throws {
        let events: [UInt8] = [0, 0xFF, 0x51, 3, 0, 0, 0, 0, 0xFF, 0x51, 4, 1, 2, 3, 4, 0, 0xFF, 0x51, 3, 0, 0, 1]
        let file = try MIDIFile.read(MIDIBytes.file(events)).file
        #expect(file.tempos.map(\.tempo.microsecondsPerQuarter) == [1])
        #expect(file.tracks[0].events.count == 3)
    }

    // MARK: - Notes

    @Test("A release ends the note of its key that has sounded longest, as in symusic")
    func pairing() throws {
        let events: [UInt8] = [
            0, 0x80, 60, 0,  // not down
            0, 0x90, 60, 10, 10, 0x90, 60, 20, 10, 0x80, 60, 0, 0, 0x90, 60, 30,
            10, 0x90, 60, 0, 5, 0x80, 60, 0,  // releases in the order of the strikes
            0, 0x91, 60, 40, 1, 0x80, 60, 0, 1, 0x81, 60, 0,  // each channel for itself
            0, 0x90, 70, 50, 0, 0x80, 70, 0, 0, 0x90, 71, 60,  // no length; never released
        ]
        let result = try notes(MIDIBytes.file(events))
        #expect(
            result.notes == [
                Note(tick: 0, duration: 20, pitch: 60, velocity: 10),
                Note(tick: 10, duration: 20, pitch: 60, velocity: 20),
                Note(tick: 20, duration: 15, pitch: 60, velocity: 30),
                Note(tick: 35, duration: 2, pitch: 60, velocity: 40, channel: 1),
                Note(tick: 37, duration: 0, pitch: 70, velocity: 50),
            ])
        #expect(result.warnings.map(\.kind) == [.unreleasedNotes(1), .zeroLengthNotes(1), .strayReleases(2)])
    }

    @Test("Twenty thousand notes")
    func manyNotes() throws {
        let events = (0..<20_000).flatMap { [0, 0x90, UInt8($0 % 128), 80, 1, UInt8($0 % 128), 0] as [UInt8] }
        let result = try notes(MIDIBytes.file(events))
        #expect(result.notes.count == 20_000)
        #expect(result.warnings.isEmpty)
    }
}
