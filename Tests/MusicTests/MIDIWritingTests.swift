import Foundation
import Music
import Testing
import _TestSupport

@Suite("Writing MIDI files")
struct MIDIWritingTests {
    @Test("Every event of a file survives, and a second copy is byte-identical", arguments: Fixture.pieces)
    func roundTrip(piece: String) throws {
        let original = try Fixture.midi(piece)
        let bytes = try original.serialized()
        let copy = try MIDIFile.read(bytes)
        #expect(copy.file == original)
        #expect(copy.warnings.isEmpty)
        #expect(try copy.file.serialized() == bytes)
        #expect(bytes[8...9] == [0, 1])
    }

    @Test("Every kind of message survives")
    func everyMessage() throws {
        let messages: [MIDIMessage] = [
            .noteOn(channel: 15, pitch: 127, velocity: 127), .noteOff(channel: 15, pitch: 127, velocity: 1),
            .keyPressure(channel: 1, pitch: 2, pressure: 3), .controlChange(channel: 4, controller: 64, value: 127),
            .programChange(channel: 5, program: 6), .channelPressure(channel: 7, pressure: 8),
            .pitchBend(channel: 9, low: 1, high: 2), .systemExclusive(isContinuation: false, bytes: [1, 2, 0xF7]),
            .systemExclusive(isContinuation: true, bytes: []), .system(status: 0xF2, bytes: [3, 4]),
            .system(status: 0xFA, bytes: []), .meta(type: 0x7F, bytes: Array(repeating: 5, count: 300)),
        ]
        let events = messages.enumerated().map { MIDIEvent(tick: $0.offset * $0.offset * 1000, message: $0.element) }
        let file = MIDIFile(
            division: 96, tracks: [MIDITrack(events: events, endTick: 0x0FFF_FFFF)],
            otherChunks: [MIDIChunk(type: Array("Abcd".utf8), bytes: [1])])
        let copy = try MIDIFile.read(file.serialized())
        #expect(copy.file == file)
        #expect(copy.warnings.isEmpty)
    }

    @Test("What a MIDI file cannot hold is refused by name")
    func refusals() throws {
        let late = MIDIEvent(tick: 0x1000_0000, message: .programChange(channel: 0, program: 0))
        let unsorted = [2, 1].map { MIDIEvent(tick: $0, message: .programChange(channel: 0, program: 0)) }
        #expect(throws: MIDIError(.unwritable(field: "a time between events", value: 0x1000_0000, limit: 0x0FFF_FFFF)))
        {
            try MIDIFile(division: 480, tracks: [MIDITrack(events: [late])]).serialized()
        }
        #expect(throws: MIDIError(.unsortedEvent(track: 0, index: 1))) {
            try MIDIFile(division: 480, tracks: [MIDITrack(events: unsorted)]).serialized()
        }
        #expect(throws: MIDIError(.unwritable(field: "the division", value: 0x8000, limit: 0x7FFF))) {
            try MIDIFile(division: 0x8000, tracks: []).serialized()
        }
        for tempo in [0, -1, 3.5, .infinity, .nan] {
            #expect(throws: MIDIError.self, "\(tempo)") { try Tempo(quartersPerMinute: tempo) }
        }
    }

    @Test(
        "A message that would be read as another, or as none, is refused with its place",
        arguments: [
            (.noteOn(channel: 0, pitch: 200, velocity: 1), "pitch is 200, expected 0 to 127"),
            (.noteOff(channel: 0, pitch: 1, velocity: 128), "velocity is 128, expected 0 to 127"),
            (.keyPressure(channel: 16, pitch: 1, pressure: 1), "channel is 16, expected 0 to 15"),
            (.controlChange(channel: 0, controller: 128, value: 0), "controller is 128, expected 0 to 127"),
            (.controlChange(channel: 0, controller: 7, value: 255), "value is 255, expected 0 to 127"),
            (.programChange(channel: 0x80, program: 0), "channel is 128, expected 0 to 15"),
            (.programChange(channel: 0, program: 128), "program is 128, expected 0 to 127"),
            (.channelPressure(channel: 0, pressure: 128), "pressure is 128, expected 0 to 127"),
            (.pitchBend(channel: 0, low: 128, high: 0), "low is 128, expected 0 to 127"),
            (.pitchBend(channel: 0, low: 0, high: 128), "high is 128, expected 0 to 127"),
            (.system(status: 0x90, bytes: [60, 80]), "status is 144, expected 241 to 246 or 248 to 254"),
            (.system(status: 0xF7, bytes: []), "status is 247, expected 241 to 246 or 248 to 254"),
            (.system(status: 0xF2, bytes: [1]), "number of data bytes is 1, expected 2"),
            (.system(status: 0xF8, bytes: [1]), "number of data bytes is 1, expected 0"),
            (.system(status: 0xF3, bytes: [128]), "data byte is 128, expected 0 to 127"),
            (.meta(type: 0x2F, bytes: []), "meta type is 47, expected another; endTick says where a track ends"),
        ] as [(MIDIMessage, String)])
    func unwritableMessages(message: MIDIMessage, reason: String) throws {
        let first = MIDIEvent(tick: 0, message: .programChange(channel: 0, program: 0))
        let tracks = [MIDITrack(events: []), MIDITrack(events: [first, MIDIEvent(tick: 5, message: message)])]
        let error = #expect(throws: MIDIError.self) { try MIDIFile(division: 480, tracks: tracks).serialized() }
        #expect(error?.description == "MIDI data: event 1 of track 1: \(reason)")
    }

    @Test("A file that its reader would refuse or cut is not written")
    func unreadableFiles() throws {
        let track = MIDITrack(events: [])
        #expect(throws: MIDIError(.zeroDivision)) { try MIDIFile(division: 0, tracks: [track]).serialized() }
        #expect(throws: MIDIError(.noTracks)) { try MIDIFile(division: 480, tracks: []).serialized() }
        for type in ["", "abc", "abcde", "ab\u{7}d", "MTrk"] {
            let chunk = MIDIChunk(type: Array(type.utf8), bytes: [1])
            let error = #expect(throws: MIDIError.self, "\(type)") {
                try MIDIFile(division: 480, tracks: [track], otherChunks: [chunk]).serialized()
            }
            #expect(error?.description.contains("expected four printable bytes other than MTrk") == true)
        }
        // Each time between events fits its field, their sum is more than a reader counts.
        let late = (1...9).map { MIDIEvent(tick: $0 * 0x0FFF_FFFF, message: .programChange(channel: 0, program: 0)) }
        for track in [MIDITrack(events: late), MIDITrack(events: Array(late.prefix(8)), endTick: late[8].tick)] {
            #expect(throws: MIDIError(.unwritable(field: "a tick", value: late[8].tick, limit: 0x7FFF_FFFF))) {
                try MIDIFile(division: 480, tracks: [track]).serialized()
            }
        }
    }

    @Test("A file made from notes has tempo and metre, and gives the notes back, also where equal keys overlap")
    func notesSurvive() throws {
        let notes = [
            Note(tick: 0, duration: 100, pitch: 60, velocity: 1), Note(tick: 0, duration: 100, pitch: 60, velocity: 2),
            Note(tick: 50, duration: 10, pitch: 60, velocity: 3), Note(tick: 100, duration: 1, pitch: 60, velocity: 4),
            Note(tick: 100, duration: 1, pitch: 61, velocity: 127),
        ]
        let tempo = try Tempo(quartersPerMinute: 90)
        let file = MIDIFile(notes: notes.reversed(), division: 120, tempo: tempo)
        let copy = try MIDIFile.read(file.serialized())
        let read = copy.file.notes()
        #expect(copy.warnings.isEmpty && read.warnings.isEmpty)
        #expect(
            read.notes.map { [$0.tick, $0.duration, $0.pitch, $0.velocity] }
                == notes.map { [$0.tick, $0.duration, $0.pitch, $0.velocity] }.sorted {
                    $0.lexicographicallyPrecedes($1)
                })
        #expect(copy.file.tempos.map(\.tempo) == [tempo])
        #expect(copy.file.tracks[0].events.contains { $0.message == .meta(type: 0x58, bytes: [4, 2, 24, 8]) })
        #expect(copy.file.division == 120)
    }

    @Test("A repeated note is released before it is struck again")
    func repeatedNotes() {
        let notes = [0, 10].map { Note(tick: $0, duration: 10, pitch: 60, velocity: 80) }
        let events = MIDIFile(notes: notes, division: 480, tempo: .standard).tracks[1].events
        #expect(
            events.filter { $0.tick == 10 }.map(\.message) == [
                .noteOff(channel: 0, pitch: 60, velocity: 0), .noteOn(channel: 0, pitch: 60, velocity: 80),
            ])
    }

    @Test("A file is whole or absent: nothing is left beside it, and what cannot be written leaves the old one")
    func atomicity() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("piece.mid")
        let ode = try Fixture.midi("ode")
        try ode.write(to: path)
        #expect(folder.names == ["piece.mid"])
        let unwritable = MIDIFile(division: -1, tracks: [])
        let error = try #require(throws: MIDIError.self) { try unwritable.write(to: path) }
        #expect(error.file == path)
        #expect(try MIDIFile.read(path: path).file == ode)
        #expect(throws: FileError.self) { try ode.write(to: folder.path("no/such/folder.mid")) }
        #expect(throws: FileError.self) { try ode.write(to: folder.url.path) }
        #expect(folder.names == ["piece.mid"])
    }

    @Test("A file is written where a symbolic link leads, be there a file yet or none")
    func links() throws {
        let folder = try TemporaryFolder()
        let ode = try Fixture.midi("ode")
        try FileManager.default.createDirectory(atPath: folder.path("far"), withIntermediateDirectories: true)
        let targets = ["near.mid": "far/piece.mid", "chain.mid": "near.mid", "full.mid": folder.path("x")]
        for (link, target) in targets {
            try FileManager.default.createSymbolicLink(atPath: folder.path(link), withDestinationPath: target)
        }
        for link in ["near.mid", "chain.mid", "full.mid", "full.mid"] {
            try ode.write(to: folder.path(link))
        }
        for (link, target) in targets {
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.path(link)) == target)
            #expect(try MIDIFile.read(path: folder.path(link)).file == ode)
        }
        #expect(folder.names == ["chain.mid", "far", "full.mid", "near.mid", "x"])
    }

    @Test("A file that is written over keeps its mode")
    func modes() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("piece.mid")
        for mode in [0o600, 0o664] {
            try Fixture.midi("ode").write(to: path)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            try Fixture.midi("ode").write(to: path)
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == mode)
        }
    }

    @Test("A pipe is written as it is and read to its end")
    func pipes() throws {
        let ode = try Fixture.midi("ode")
        let pipe = Pipe()
        try ode.write(to: "/dev/fd/\(pipe.fileHandleForWriting.fileDescriptor)")
        try pipe.fileHandleForWriting.close()
        #expect(try MIDIFile.read(path: "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)").file == ode)
    }
}
