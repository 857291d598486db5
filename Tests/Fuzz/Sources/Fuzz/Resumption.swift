import ComputeCore
import Foundation
import Music
import Pipeline
import SMDIM
import Synchronization

/// What a training run is resumed with beside its checkpoint, made once.
///
/// The songs are one scale under the smallest tokenizer, so that a whole state fits into an input.
final class Resumption: Sendable {
    static let shared: Resumption = {
        do { return try Resumption() } catch {
            FileHandle.standardError.write(Data("songs to resume with: \(error)\n".utf8))
            exit(2)
        }
    }()

    private let tokens: TokenCorpus
    private let rolls: RollCorpus
    private let lastZeros = Mutex<(configuration: String, state: Safetensors)?>(nil)

    private init() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "smdim-fuzz-\(getpid())")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let notes = [0, 2, 4, 5, 7, 9, 11, 0].enumerated().map { beat, step in
            Note(tick: beat * 480, duration: 480, pitch: 60 + step, velocity: 127)
        }
        for name in ["learnt.mid", "judged.mid"] {
            try MIDIFile(notes: notes, division: 480, tempo: .standard).write(to: folder.appending(path: name).path)
        }
        let tokenizer = try TokenizerConfiguration(
            pitches: 60...71, beatResolutions: [.init(beats: 0..<1, stepsPerBeat: 1)], velocityCount: 1,
            specialTokens: ["PAD"])
        tokens = try TokenCorpus(folder: folder, tokenizer: REMITokenizer(tokenizer))
        rolls = try RollCorpus(folder: folder)
    }

    /// The first byte says by its lowest bit what is trained, the next two how long `training.json` is; it follows, and
    /// `state.safetensors` is the rest.
    func read(_ bytes: [UInt8]) throws {
        guard bytes.count >= 3 else { return }
        let rest = bytes.dropFirst(3)
        let training = Data(rest.prefix(Int(bytes[1]) | Int(bytes[2]) << 8))
        let state = Data(rest.dropFirst(training.count))
        if bytes[0].isMultiple(of: 2) {
            try resume(TokenTask.self, training, state, corpus: tokens)
        } else {
            try resume(RollTask.self, training, state, corpus: rolls)
        }
    }

    private func resume<Task: TrainingTask>(
        _: Task.Type, _ training: Data, _ state: Data, corpus: Task.Corpus
    ) throws {
        let state =
            state.isEmpty
            ? try zeros(Task.Configuration.self, training) : try Safetensors(state, named: "state.safetensors")
        let checkpoint = try TrainingCheckpoint(training: training, state: state, named: "checkpoint")
        let trainer = try Trainer<Task>(resuming: checkpoint, corpus: corpus, on: CountingBackend())
        // What was read must also do for a step, if a step is short.
        guard trainer.options.batch <= 64, trainer.options.length <= 64 else { return }
        _ = try trainer.takeStep()
        if trainer.task.validationCount > 0 { _ = try trainer.task.validation(0) }
    }

    /// A state of zeros that fits `training.json`, for inputs that bring none: no mutation keeps sizes and state in step.
    private func zeros<Configuration: DenoiserConfiguration>(
        _: Configuration.Type, _ training: Data
    ) throws -> Safetensors {
        let text = try JSONDecoder().decode(Sizes.self, from: training).configuration
        return try lastZeros.withLock { last in
            if let last, last.configuration == text { return last.state }
            let parameters = try Configuration(json: Data(text.utf8)).parameters
            guard parameters.reduce(0, { $0 + $1.shape.elementCount }) <= 1 << 14 else { throw TooLarge() }
            var tensors: [String: HostTensor] = [:]
            for parameter in parameters {
                let values = [Float](repeating: 0, count: parameter.shape.elementCount)
                for slot in ParameterKey.Slot.allCases where slot != .gradient {
                    tensors["\(slot.rawValue).\(parameter.key.name)"] = try HostTensor(parameter.shape, values)
                }
            }
            let state = try Safetensors(Safetensors.encode(tensors), named: "zeros")
            last = (text, state)
            return state
        }
    }
}

/// The part of `training.json` that says what a state holds.
private struct Sizes: Decodable {
    let configuration: String
}

private struct TooLarge: Error {}
