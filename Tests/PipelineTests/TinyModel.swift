import ComputeCore
import Foundation
import Music
import Pipeline
import ReferenceBackend
import SMDIM
import _TestSupport

/// An untrained model in a temporary folder, on the reference backend.
enum TinyModel {
    static let shared = Result { try make() }

    private static func make() throws -> TokenModel {
        let folder = try TemporaryFolder().url
        try write(to: folder)
        return try TokenModel(folder, on: ReferenceBackend())
    }

    /// Writes the folder: preset tiny with less of everything, the tokenizer of `tokenizer`.
    static func write(to folder: URL, tokenizer: TokenizerConfiguration = .standard, vocabularySize: Int = 190) throws {
        var configuration = ModelConfiguration(.tiny, vocabularySize: vocabularySize)
        configuration.trunk.modelWidth = 16
        configuration.trunk.blockCount = 1
        configuration.trunk.feedForwardWidth = 16
        configuration.trunk.stateCount = 4
        configuration.embeddingWidth = 8
        try ModelFolder.write(
            configuration, weights: configuration.initialWeights(seed: 3), isTrained: false,
            tokenizer: Data(tokenizer.tokenizerJSON()), readme: "", to: folder)
    }

    /// A folder of four pieces, of two to five bars.
    static func songs() throws -> URL {
        let folder = try TemporaryFolder().url
        for index in 0..<4 { try piece(bars: 2 + index).write(to: folder.appending(path: "\(index).mid").path) }
        return folder
    }

    /// A piece of a few bars: an ascending scale in eighths over long bass notes, off the grid by 17 ticks, with a
    /// controller, a tempo change and drums that nothing may touch; `delay` ticks later than its bars.
    static func piece(bars: Int, delay: Int = 0) throws -> MIDIFile {
        let first = 17 + delay
        let sustain = MIDIMessage.controlChange(channel: 0, controller: 64, value: 127)
        let (melody, bass, drums) = (
            (0..<bars * 8).map { eighth in
                Note(
                    tick: first + eighth * 240, duration: 200, pitch: 60 + [0, 2, 4, 5, 7, 9, 11, 12][eighth % 8],
                    velocity: 70 + eighth % 8)
            },
            (0..<bars).map {
                Note(tick: first + $0 * 1920, duration: 1900, pitch: 36, velocity: 60, channel: 1)
            },
            (0..<bars).map {
                Note(tick: $0 * 1920 + 480, duration: 100, pitch: 38, velocity: 99, channel: Note.drumChannel)
            }
        )
        // Microseconds of a quarter note: 90 and 100 of them a minute.
        let tempos = [
            MIDIEvent(tick: 0, message: .meta(type: 0x51, bytes: [0x0A, 0x2C, 0x2A])),
            MIDIEvent(tick: 1000, message: .meta(type: 0x51, bytes: [0x09, 0x27, 0xC0])),
        ]
        return MIDIFile(
            division: 480,
            tracks: [
                MIDITrack(events: tempos), track([MIDIEvent(tick: 5, message: sustain)], notes: melody),
                track(notes: bass),
                track(notes: drums),
            ])
    }

    private static func track(_ first: [MIDIEvent] = [], notes: [Note]) -> MIDITrack {
        MIDITrack(
            events: first
                + notes.flatMap { note in
                    let (channel, pitch) = (UInt8(note.channel), UInt8(note.pitch))
                    return [
                        MIDIEvent(
                            tick: note.tick,
                            message: .noteOn(channel: channel, pitch: pitch, velocity: UInt8(note.velocity))),
                        MIDIEvent(
                            tick: note.tick + note.duration,
                            message: .noteOff(channel: channel, pitch: pitch, velocity: 0)),
                    ]
                })
    }
}
