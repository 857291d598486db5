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

    private static func make() throws -> Model {
        let folder = try TemporaryFolder().url
        try write(to: folder)
        return try Model(folder, on: ReferenceBackend())
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
    /// controller, a tempo change and drums that nothing may touch.
    static func piece(bars: Int) throws -> MIDIFile {
        var notes: [Note] = []
        for bar in 0..<bars {
            for eighth in 0..<8 {
                notes.append(
                    Note(
                        tick: 17 + bar * 1920 + eighth * 240, duration: 200,
                        pitch: 60 + [0, 2, 4, 5, 7, 9, 11, 12][eighth],
                        velocity: 70 + eighth))
            }
            notes.append(Note(tick: 17 + bar * 1920, duration: 1900, pitch: 36, velocity: 60, track: 1))
            notes.append(Note(tick: bar * 1920 + 480, duration: 100, pitch: 38, velocity: 99, track: 2, channel: 9))
        }
        return MIDIFile(notes: notes, division: 480, tempo: try Tempo(quartersPerMinute: 90))
    }
}
