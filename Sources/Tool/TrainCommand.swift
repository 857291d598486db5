import ArgumentParser
import ComputeCore
import Foundation
import Music
import Pipeline
import SMDIM

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a model on a folder of MIDI files.",
        discussion: """
            A model of tokens writes and continues pieces; a model of rolls (--kind roll) harmonises, completes and varies \
            them. Songs are put on their grid and into C major or A minor. The folder -o gets checkpoints (the last two are \
            kept), the tokens of the songs, and at the end a model. An interrupt saves a checkpoint and stops with \
            status 1; --resume goes on from there, bit for bit.
            """)

    /// What a model reads.
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case token
        case roll
    }

    @Option(help: "What the model reads: token or roll.")
    var kind = Kind.token

    @Option(help: "Folder of MIDI files (train.txt and valid.txt are used if there), or a token file.")
    var data: String

    @Option(help: "Sizes: paper, small or tiny; small if not given, and those of the model after --init.")
    var preset: ModelConfiguration.Preset?

    @Option(help: "MidiTok's tokenizer.json; the built-in tokenizer with 8 velocities if not given.")
    var tokenizer: String?

    @Option(name: .customLong("init"), help: "Model folder whose weights training starts from.")
    var initialModel: String?

    @Flag(help: "Go on from the last checkpoint in the output folder, with its options.")
    var resume = false

    @Flag(help: "Print the memory that training takes, and take none.")
    var plan = false

    @OptionGroup var options: TrainingArguments
    @OptionGroup var device: DeviceOptions

    @Option(name: .shortAndLong, help: "Folder.")
    var output: String

    func validate() throws {
        try requireOption(preset == nil || initialModel == nil, "preset", "none beside --init", preset?.rawValue ?? "")
        guard resume else { return }
        let others = [("preset", preset != nil), ("init", initialModel != nil), ("tokenizer", tokenizer != nil)]
        let given = options.given.map(\.name) + others.filter(\.1).map(\.0)
        guard given.isEmpty else {
            throw ValidationError(
                "--resume: expected no options of the run, which its checkpoint has, found --\(given[0])")
        }
    }

    func run() throws {
        switch kind {
        case .token:
            try run(TokenTask.self, options: options.trainingOptions(length: 1024)) {
                let corpus = try tokenCorpus(cache: $0, seed: $1)
                try requireVocabulary(of: corpus)
                return corpus
            }
        case .roll:
            try run(RollTask.self, options: options.trainingOptions(length: 512)) { try rollCorpus(seed: $1) }
        }
    }

    private func run<Task: TrainableTask>(
        _ task: Task.Type, options: TrainingOptions, corpus: (_ cache: URL, _ seed: UInt64) throws -> Task.Corpus
    ) throws {
        let backend = try device.backend()
        if plan { return try printPlan(task, options: options, on: backend) }
        let folder = URL(filePath: output)
        let checkpoint = try resume ? TrainingCheckpoint(newestIn: folder) : nil
        if !resume {
            // Options and a device that do not fit are named before songs are read.
            _ = try Trainer<Task>.memory(plannedConfiguration(task), options: options, on: backend)
            try TrainingCheckpoint.requireNone(in: folder)
            try WholeFile.makeFolder(output)
        }
        // A run that goes on splits the songs as it did.
        let corpus = try corpus(folder.appending(path: "corpus.safetensors"), checkpoint?.options.seed ?? options.seed)
        let trainer =
            try checkpoint.map { try Trainer(resuming: $0, corpus: corpus, on: backend) }
            ?? newTrainer(task, corpus, options: options, on: backend)
        try TrainingClock(trainer, log: folder.appending(path: "log.jsonl")).run(
            until: Interrupt(), checkpoints: folder)
        guard trainer.step == trainer.options.steps else {
            throw Interrupted(run: output, step: trainer.step, steps: trainer.options.steps)
        }
        try trainer.writeModel(
            to: folder.appending(path: "model"),
            readme: "# Model\n\nTrained by `smdim train` for \(trainer.step) steps; see log.jsonl beside this folder.\n"
        )
        try Terminal.result("\(output)/model: trained for \(trainer.step) steps")
    }

    private func newTrainer<Task: TrainableTask>(
        _: Task.Type, _ corpus: Task.Corpus, options: TrainingOptions, on backend: any Backend
    ) throws -> Trainer<Task> {
        let start: ModelFolder<Task.Configuration>? = try initialModel.map(modelFolder)
        let configuration = Task.configuration(
            start?.configuration, preset: preset ?? .small, corpus: corpus, options: options)
        return try Trainer(
            configuration, weights: start?.weights() ?? configuration.initialWeights(seed: options.seed),
            corpus: corpus, options: options, on: backend)
    }

    private func tokenCorpus(cache: URL, seed: UInt64) throws -> TokenCorpus {
        if FileManager.default.fileExists(atPath: data), !URL(filePath: data).isFolder {
            guard !WholeFile.isMIDI(data) else {
                throw FileError.unreadable(path: data, reason: "--data takes a folder of MIDI files, or a token file")
            }
            try requireOption(
                tokenizer == nil, "tokenizer", "none beside a token file, which has its own", tokenizer ?? "")
            return try TokenCorpus(tokenFile: URL(filePath: data))
        }
        if resume && FileManager.default.fileExists(atPath: cache.path) { return try TokenCorpus(tokenFile: cache) }
        let corpus = try TokenCorpus(folder: URL(filePath: data), tokenizer: chosenTokenizer(), seed: seed)
        try corpus.write(to: cache)
        report(corpus, skipped: corpus.skipped)
        return corpus
    }

    private func rollCorpus(seed: UInt64) throws -> RollCorpus {
        let corpus = try RollCorpus(folder: URL(filePath: data), seed: seed)
        report(corpus, skipped: corpus.skipped)
        return corpus
    }

    private func report(_ corpus: some TrainingCorpus, skipped: [String]) {
        Terminal.note(list: skipped.map { "skipped \($0)" }, more: "skipped")
        Terminal.note(corpus.summary)
    }

    /// The tokenizer that was asked for, else that of the model that training starts from.
    private func chosenTokenizer() throws -> REMITokenizer {
        try (tokenizer ?? tokenizerOfStart()).map(REMITokenizer.init(path:)) ?? REMITokenizer(.smallVelocity)
    }

    private func tokenizerOfStart() -> String? {
        let path = initialModel.map { URL(filePath: $0).appending(path: "tokenizer.json").path }
        return path.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
    }

    /// A model that starts from another's weights has to give its ids the same meaning.
    private func requireVocabulary(of corpus: TokenCorpus) throws {
        guard let path = tokenizerOfStart() else { return }
        guard try REMITokenizer(path: path).vocabulary == corpus.tokenizer.vocabulary else {
            throw ValidationError("--init: expected songs in the tokens of \(path), found those of another tokenizer")
        }
    }

    /// The sizes as far as they are known before songs are read.
    private func plannedConfiguration<Task: TrainableTask>(_: Task.Type) throws -> Task.Configuration {
        let start: ModelFolder<Task.Configuration>? = try initialModel.map(modelFolder)
        return try start?.configuration
            ?? Task.configuration(preset ?? .small, vocabularySize: chosenTokenizer().vocabulary.count)
    }

    private func printPlan<Task: TrainableTask>(
        _ task: Task.Type, options: TrainingOptions, on backend: any Backend
    ) throws {
        let memory = try Trainer<Task>.memory(plannedConfiguration(task), options: options, on: backend)
        try Terminal.result(
            """
            weights, gradients, moments, average  \(memory.parameters) bytes
            activations                           \(memory.activations) bytes
            total                                 \(memory.parameters + memory.activations) bytes
            """)
    }
}

/// An error, for there is no model yet that a script could go on with.
private struct Interrupted: Error, CustomStringConvertible {
    let run: String
    let step: Int
    let steps: Int

    var description: String { "\(run): interrupted after \(step) of \(steps) steps; go on with --resume" }
}

/// A task whose network has presets.
private protocol TrainableTask: TrainingTask {
    /// The sizes of the model that training starts from, or else of a preset, and what the corpus and the options say.
    static func configuration(
        _ start: Configuration?, preset: ModelConfiguration.Preset, corpus: Corpus, options: TrainingOptions
    ) -> Configuration
    /// The sizes of a preset where only the vocabulary is known.
    static func configuration(_ preset: ModelConfiguration.Preset, vocabularySize: Int) -> Configuration
}

extension TokenTask: TrainableTask {
    fileprivate static func configuration(
        _ start: ModelConfiguration?, preset: ModelConfiguration.Preset, corpus: TokenCorpus,
        options: TrainingOptions
    ) -> ModelConfiguration {
        var configuration = start ?? configuration(preset, vocabularySize: corpus.tokenizer.vocabulary.count)
        configuration.tempo = corpus.tempo
        return configuration
    }

    fileprivate static func configuration(
        _ preset: ModelConfiguration.Preset, vocabularySize: Int
    ) -> ModelConfiguration {
        ModelConfiguration(preset, vocabularySize: vocabularySize)
    }
}

extension RollTask: TrainableTask {
    fileprivate static func configuration(
        _ start: RollConfiguration?, preset: ModelConfiguration.Preset, corpus: RollCorpus, options: TrainingOptions
    ) -> RollConfiguration {
        var configuration = start ?? RollConfiguration(preset)
        // A network goes on with the prior that it has learnt to denoise.
        if start == nil { configuration.priorDensities = corpus.densities }
        configuration.windowSteps = options.length
        return configuration
    }

    fileprivate static func configuration(
        _ preset: ModelConfiguration.Preset, vocabularySize: Int
    ) -> RollConfiguration { RollConfiguration(preset) }
}
