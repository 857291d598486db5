import ComputeCore
import Foundation
import Music
import Pipeline
import ReferenceBackend
import SMDIM
import Testing

/// Runs of a model of a few hundred weights on four short songs.
struct TinyRun {
    let folder: URL
    let configuration: ModelConfiguration
    let corpus: TokenCorpus

    init() throws {
        folder = try TinyModel.songs()
        corpus = try TokenCorpus(folder: folder, tokenizer: REMITokenizer(.smallVelocity))
        var configuration = ModelConfiguration(.tiny, vocabularySize: corpus.tokenizer.vocabulary.count)
        configuration.trunk.modelWidth = 8
        configuration.trunk.blockCount = 1
        configuration.trunk.feedForwardWidth = 8
        configuration.trunk.stateCount = 2
        configuration.embeddingWidth = 4
        self.configuration = configuration
    }

    static var options: TrainingOptions {
        var options = TrainingOptions()
        options.steps = 8
        options.batch = 4
        options.microBatch = 2
        options.length = 16
        options.warmUp = 2
        options.validWindows = 1
        return options
    }

    func trainer(_ options: TrainingOptions = Self.options, weights: [ParameterSource]? = nil) throws -> Trainer<
        TokenTask
    > {
        try Trainer(
            configuration, weights: weights ?? configuration.initialWeights(seed: 1), corpus: corpus, options: options,
            on: ReferenceBackend())
    }

    /// Weights of a network that finds every token equally likely, so that each position costs ln V nats.
    func evenWeights() throws -> [ParameterSource] {
        try configuration.initialWeights(seed: 1).map { weight in
            weight.key.name == "head.weight"
                ? try ParameterSource(weight.key, weight.layout, weight.shape, weight.values.map { $0.map { _ in 0 } })
                : weight
        }
    }

    func resumed() throws -> Trainer<TokenTask> {
        try Trainer(resuming: folder, corpus: corpus, on: ReferenceBackend())
    }

    /// Takes a step and writes its checkpoint, whose `training.json` then becomes what `change` makes of it.
    func writeCheckpoint(_ change: (String) -> String) throws {
        let trainer = try trainer()
        _ = try trainer.takeStep()
        try trainer.writeCheckpoint(to: folder)
        let file = folder.appending(path: "checkpoint-00000001/training.json")
        let text = try String(contentsOf: file, encoding: .utf8)
        let changed = change(text)
        try #require(changed != text)
        try changed.write(to: file, atomically: true, encoding: .utf8)
    }

    /// The names in the folder that have to do with checkpoints, sorted.
    func checkpoints() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.contains("checkpoint") }.sorted()
    }

    /// The bytes of the newest checkpoint's state.
    func state() throws -> Data {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        let newest = try #require(names.filter { $0.hasPrefix("checkpoint-") }.max())
        return try Data(contentsOf: folder.appending(path: newest).appending(path: "state.safetensors"))
    }
}
