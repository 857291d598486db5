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
        #expect(throws: MusicFileError.self) { try ode.write(to: folder.path("no/such/folder.mid")) }
        #expect(throws: MusicFileError.self) { try ode.write(to: folder.url.path) }
        #expect(folder.names == ["piece.mid"])
    }
}
