public import ArgumentParser
import ComputeCore
import Foundation
import Music
public import Pipeline
import SMDIM
import Synchronization

extension TrainingOptions.Weighting: ExpressibleByArgument {}

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a model on a folder of MIDI files.",
        discussion: """
            Songs are put on their grid and into C major or A minor. The folder -o gets checkpoints (the last two are \
            kept), the tokens of the songs, and at the end a model. An interrupt saves a checkpoint and stops; --resume \
            goes on from there, bit for bit.
            """)

    @Option(help: "Folder of MIDI files (train.txt and valid.txt are used if there), or a token file.")
    var data: String

    @Option(help: "Sizes: paper, small or tiny.")
    var preset = ModelConfiguration.Preset.small

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

    func run() throws {
        let backend = try device.backend()
        if plan { return try printPlan(on: backend) }
        let folder = URL(filePath: output)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let corpus = try corpus(cache: folder.appending(path: "corpus.safetensors"))
        let trainer = try trainer(corpus, on: backend, folder: folder)
        let clock = TrainingClock(trainer, log: folder.appending(path: "log.jsonl"))
        try clock.run(until: Interrupt(), checkpoints: folder)
        if trainer.step == trainer.options.steps {
            try trainer.writeModel(
                to: folder.appending(path: "model"),
                readme:
                    "# Model\n\nTrained by `smdim train` for \(trainer.step) steps; see log.jsonl beside this folder.\n"
            )
            print("\(output)/model: trained for \(trainer.step) steps")
        } else {
            print("\(output): stopped after \(trainer.step) of \(trainer.options.steps) steps; go on with --resume")
        }
    }

    private func trainer(_ corpus: Corpus, on backend: any Backend, folder: URL) throws -> Trainer {
        if resume { return try Trainer(resuming: folder, corpus: corpus, on: backend) }
        let options = options.trainingOptions
        let start = try initialModel.map { try ModelFolder(URL(filePath: $0)) }
        let configuration =
            start?.configuration ?? ModelConfiguration(preset, vocabularySize: corpus.tokenizer.vocabulary.count)
        return try Trainer(
            configuration, weights: start?.weights() ?? configuration.initialWeights(seed: options.seed),
            corpus: corpus, options: options, on: backend)
    }

    private func corpus(cache: URL) throws -> Corpus {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: data, isDirectory: &isFolder)
        if exists && !isFolder.boolValue { return try Corpus(tokenFile: URL(filePath: data)) }
        if resume && FileManager.default.fileExists(atPath: cache.path) { return try Corpus(tokenFile: cache) }
        let tokenizer = try tokenizer.map(REMITokenizer.init(path:)) ?? REMITokenizer(.smallVelocity)
        let corpus = try Corpus(folder: URL(filePath: data), tokenizer: tokenizer, seed: options.seed)
        for skipped in corpus.skipped.prefix(8) { Terminal.note("skipped \(skipped)") }
        try corpus.write(to: cache)
        let tokens = corpus.train.reduce(0) { $0 + $1.count }
        Terminal.note(
            "\(corpus.train.count) songs of \(tokens) tokens to learn from, \(corpus.valid.count) to judge by")
        return corpus
    }

    private func printPlan(on backend: any Backend) throws {
        let tokenizer = try tokenizer.map(REMITokenizer.init(path:)) ?? REMITokenizer(.smallVelocity)
        let configuration = ModelConfiguration(preset, vocabularySize: tokenizer.vocabulary.count)
        let memory = try Trainer.memory(configuration, options: options.trainingOptions, on: backend)
        print(
            """
            weights, gradients, moments, average  \(memory.parameters) bytes
            activations                           \(memory.activations) bytes
            total                                 \(memory.parameters + memory.activations) bytes
            """)
    }
}

/// The options of a run, as the command line gives them.
struct TrainingArguments: ParsableArguments {
    @Option(help: "AdamW steps.") var steps = 2000
    @Option(help: "Windows of a step.") var batch = 8
    @Option(help: "Windows that are computed at once; gradients of several are added up.") var microBatch: Int?
    @Option(help: "Tokens of a window.") var length = 1024
    @Option(help: "Highest learning rate.") var rate = 1.5e-3
    @Option(help: "Steps in which the rate rises.") var warmUp = 100
    @Option(help: "Weight decay.") var decay: Float = 0.05
    @Option(help: "Norm above which gradients are scaled down.") var maximumNorm: Float = 1
    @Option(help: "What the moving average of the weights keeps in a step.") var averageDecay = 0.999
    @Option(help: "Weighting of positions: mean, elbo or reweighted.") var weighting = TrainingOptions.Weighting.mean
    @Option(help: "Seed.") var seed: UInt64 = 0
    @Option(help: "Steps between checkpoints.") var checkpointEvery = 500
    @Option(help: "Windows of valid songs that the bound is measured on.") var validWindows = 8

    var trainingOptions: TrainingOptions {
        var options = TrainingOptions()
        options.steps = steps
        options.batch = batch
        options.microBatch = microBatch ?? batch
        options.length = length
        options.rate = rate
        options.warmUp = warmUp
        options.decay = decay
        options.maximumNorm = maximumNorm
        options.averageDecay = averageDecay
        options.weighting = weighting
        options.seed = seed
        options.checkpointEvery = checkpointEvery
        options.validWindows = validWindows
        return options
    }
}

/// Takes steps, says how it goes, writes checkpoints.
private struct TrainingClock {
    private let trainer: Trainer
    private let log: URL

    init(_ trainer: Trainer, log: URL) {
        self.trainer = trainer
        self.log = log
    }

    private struct Entry: Encodable {
        let step: Int
        let loss: Double
        let gradientNorm: Double
        let tokensPerSecond: Double
        let validBitsPerToken: Double?
    }

    /// Runs to the last step or to an interrupt; both end with a checkpoint.
    func run(until interrupt: Interrupt, checkpoints: URL) throws {
        var sums = (loss: 0.0, seconds: 0.0, steps: 0)
        let start = (clock: ContinuousClock.now, step: trainer.step)
        while trainer.step < trainer.options.steps && !interrupt.hasCome {
            let begin = ContinuousClock.now
            let progress = try trainer.takeStep()
            sums = (sums.loss + progress.loss, sums.seconds + (ContinuousClock.now - begin).seconds, sums.steps + 1)
            let isCheckpoint =
                progress.step.isMultiple(of: trainer.options.checkpointEvery) || progress.step == trainer.options.steps
            guard isCheckpoint || progress.step.isMultiple(of: 20) else { continue }
            let rate = Double(sums.steps * trainer.options.batch * trainer.options.length) / sums.seconds
            let bits = isCheckpoint ? try trainer.validBitsPerToken() : nil
            let mean = sums.loss / Double(sums.steps)
            try append(
                Entry(
                    step: progress.step, loss: mean, gradientNorm: progress.gradientNorm, tokensPerSecond: rate,
                    validBitsPerToken: bits))
            let elapsed = (ContinuousClock.now - start.clock).seconds
            let left = elapsed / Double(progress.step - start.step) * Double(trainer.options.steps - progress.step)
            Terminal.note(
                String(
                    format: "step %d/%d  loss %.4f  norm %.2f  %.0f tokens/s  %@%.0f min left", progress.step,
                    trainer.options.steps, mean, progress.gradientNorm, rate,
                    bits.map { String(format: "valid %.4f bits per token  ", $0) } ?? "", left / 60))
            sums = (0, 0, 0)
            if isCheckpoint { try trainer.writeCheckpoint(to: checkpoints) }
        }
        if interrupt.hasCome { try trainer.writeCheckpoint(to: checkpoints) }
    }

    private func append(_ entry: Entry) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let line = try encoder.encode(entry) + Data("\n".utf8)
        if let handle = try? FileHandle(forWritingTo: log) {
            try handle.seekToEnd()
            try handle.write(contentsOf: line)
            try handle.close()
        } else {
            try line.write(to: log)
        }
    }
}

/// Notes the first SIGINT instead of dying of it; a second one kills as usual.
private struct Interrupt {
    private static let flag = Atomic(false)

    init() {
        signal(SIGINT) { _ in
            Interrupt.flag.store(true, ordering: .relaxed)
            signal(SIGINT, SIG_DFL)
        }
    }

    var hasCome: Bool { Self.flag.load(ordering: .relaxed) }
}
