import ComputeCore
import Diffusion
import Foundation
import Music
import Pipeline
import ReferenceBackend
import SMDIM
import Testing
import _TestSupport

@Suite struct TrainerTests {
    @Test func aCellLossOfRollsIsNamed() throws {
        var options = TinyRun.options
        options.cellLoss = .absolute
        #expect(
            throws: PipelineError.option(name: "cell-loss", expected: "cross-entropy for tokens", found: "absolute")
        ) {
            try TinyRun().trainer(options)
        }
    }

    @Test(arguments: Precision.allCases) func lossFallsAndTheAverageFollows(_ precision: Precision) throws {
        let run = try TinyRun()
        var options = TinyRun.options
        options.precision = precision
        options.steps = 60
        options.rate = 0.02
        options.averageDecay = 0.9
        let trainer = try run.trainer(options)
        let before = try trainer.validationMetric()
        let losses = try (0..<60).map { _ in try trainer.takeStep().loss }
        let (early, late): (Double, Double) = (losses.prefix(10).reduce(0, +), losses.suffix(10).reduce(0, +))
        #expect(late < 0.8 * early)
        #expect(try trainer.validationMetric() < before - 0.5)
    }

    /// A network that finds every token equally likely loses ln V nats at each position that counts, so the mean tells
    /// whether the host counts the positions that the device masks.
    @Test(arguments: [0, 0.5, 1]) func hostCountsWhatTheDeviceMasks(_ share: Double) throws {
        let run = try TinyRun()
        var options = TinyRun.options
        options.sweptWindows = share
        let trainer = try run.trainer(options, weights: run.evenWeights())
        #expect(abs(try trainer.takeStep().loss - log(Double(run.configuration.vocabularySize))) < 1e-5)
    }

    @Test(arguments: [
        (-0.1, TrainingOptions.Weighting.mean), (1.1, .mean), (.nan, .mean), (0.5, .elbo), (0.5, .reweighted),
    ])
    func sharesThatDoNotFitAreRefused(_ share: Double, _ weighting: TrainingOptions.Weighting) throws {
        var options = TinyRun.options
        options.sweptWindows = share
        options.weighting = weighting
        #expect(throws: PipelineError.self) { try options.validate() }
    }

    @Test(arguments: [0, 1]) func tokensAreMaskedAsTheSamplerSays(_ share: Double) throws {
        let run = try TinyRun()
        var options = TinyRun.options
        options.sweptWindows = share
        let vocabulary = run.corpus.tokenizer.vocabulary
        let sampler = WindowSampler(
            run.corpus.train, length: options.length, bar: Int32(try #require(vocabulary.id(of: .bar))),
            pad: Int32(try #require(vocabulary.id(of: .pad))), seed: options.seed)
        let times = [0.2, 0.5, 0.7, 0.9]
        let batch = try TokenTask(run.configuration, corpus: run.corpus, options: options)
            .batch(step: 3, samples: 2..<6, times: times)
        let expected = times.enumerated().flatMap { index, time in
            let window = sampler.window(step: 3, sample: 2 + index)
            let (sweep, places) = sampler.sweep(of: window, share: share, step: 3, sample: 2 + index)
            return places.flatMap {
                Philox.threshold(probability: sweep.maskProbability(place: $0, time: time)).halfWords
            }
        }
        #expect(try batch.inputs["thresholds"]?.integers() == expected)
        #expect(Set(expected).count > 8 || share == 0)
    }

    /// With no step too large to see, micro-batches only change the order of sums.
    @Test func microBatchesAddUpToTheBatch() throws {
        var options = TinyRun.options
        let run = try TinyRun()
        let parts = try run.trainer(options).takeStep()
        options.microBatch = 4
        let whole = try run.trainer(options).takeStep()
        #expect(abs(parts.loss - whole.loss) < 1e-5)
        #expect(abs(parts.gradientNorm - whole.gradientNorm) < 1e-4 * whole.gradientNorm)
    }

    @Test func brokenWeightsStopTheRunAndNameTheOperation() throws {
        let run = try TinyRun()
        let weights = try run.configuration.initialWeights(seed: 1).map { source in
            source.key.name == "blocks.0.ffn.fc1.bias"
                ? try ParameterSource(source.key, source.layout, source.shape, [Float](repeating: .infinity, count: 8))
                : source
        }
        #expect {
            try run.trainer(weights: weights).takeStep()
        } throws: { error in
            guard case .notANumber(step: 0, operation: let operation) = error as? TrainingError else { return false }
            return operation.hasPrefix("linear (operation")
        }
    }

    @Test func aMeasureThatIsNoNumberStopsTheRun() throws {
        let run = try TinyRun()
        let weights = try run.configuration.initialWeights(seed: 1).map { source in
            source.key.name == "head.weight"
                ? try ParameterSource(
                    source.key, source.layout, source.shape, source.values?.map { _ in Float.nan }) : source
        }
        let expected = TrainingError.notANumber(step: 0, operation: "the measure of the valid songs")
        #expect(throws: expected) { try run.trainer(weights: weights).validationMetric() }
    }

    /// Gradients, update and what judges are all held at once.
    @Test func memoryIsThatOfEveryPlan() throws {
        let run = try TinyRun()
        let (options, backend) = (TinyRun.options, ReferenceBackend())
        let plans = try [
            TokenTask.lossPlan(
                run.configuration, windows: options.microBatch, options: options, slot: .value, purpose: .training
            ).training(maximumNorm: options.maximumNorm),
            run.configuration.updatePlan(decay: options.decay),
            TokenTask.lossPlan(
                run.configuration, windows: 8, options: options, slot: .average, purpose: .inference),
        ]
        let bytes = try Trainer<TokenTask>.memory(run.configuration, options: options, on: backend)
        #expect(try bytes.activations == plans.reduce(0) { try $0 + backend.memory(of: $1).byteCount })
    }

    @Test func trainedModelCanBeLoaded() throws {
        let run = try TinyRun()
        let trainer = try run.trainer()
        _ = try trainer.takeStep()
        let folder = run.folder.appending(path: "model")
        try trainer.writeModel(to: folder, readme: "A test.\n")
        let model = try TokenModel(folder, on: ReferenceBackend())
        #expect(!model.isUntrained && model.tokenizer == run.corpus.tokenizer)
    }

    @Test func optionsThatCannotBeAreNamed() throws {
        let run = try TinyRun()
        var options = TinyRun.options
        options.microBatch = 3
        #expect(throws: PipelineError.option(name: "batch", expected: "a multiple of the micro-batch 3", found: "4")) {
            try run.trainer(options)
        }
        options = TinyRun.options
        options.length = 17
        #expect(throws: PipelineError.option(name: "length", expected: "a multiple of the stride 4", found: "17")) {
            try run.trainer(options)
        }
    }
}

@Suite struct CorpusTests {
    @Test func tokenFileGivesTheCorpusBack() throws {
        let run = try TinyRun()
        let file = run.folder.appending(path: "corpus.safetensors")
        try run.corpus.write(to: file)
        let again = try TokenCorpus(tokenFile: file)
        #expect(again.train == run.corpus.train && again.valid == run.corpus.valid)
        #expect(again.tempo == 90 && run.corpus.tempo == 90)
        #expect(again.tokenizer == run.corpus.tokenizer)
    }

    @Test(arguments: ["0", "-90", "nan", "inf"]) func tokenFileWithATempoThatCannotBeIsRefused(_ tempo: String) throws {
        let run = try TinyRun()
        let file = run.folder.appending(path: "corpus.safetensors")
        try run.corpus.write(to: file)
        let written = try Safetensors(contentsOf: file)
        var metadata = written.metadata
        metadata["tempo"] = tempo
        let tensors = try Dictionary(uniqueKeysWithValues: written.entries.keys.map { ($0, try written.tensor($0)) })
        let changed = try Safetensors(Safetensors.encode(tensors, metadata: metadata), named: "changed")
        #expect(throws: CorpusError.malformed("changed", expected: "a tempo of 3.58 to 60000000.0")) {
            try TokenCorpus(tokens: changed, named: "changed")
        }
    }

    @Test(arguments: ["train.tokens", "valid.ends"]) func tokenFileOfFloatsIsRefused(_ name: String) throws {
        let run = try TinyRun()
        let file = run.folder.appending(path: "corpus.safetensors")
        try run.corpus.write(to: file)
        let written = try Safetensors(contentsOf: file)
        var tensors = try Dictionary(uniqueKeysWithValues: written.entries.keys.map { ($0, try written.tensor($0)) })
        let ids = try written.integers(name)
        tensors[name] = try HostTensor([ids.count], ids.map { Float($0) })
        try Safetensors.write(tensors, metadata: written.metadata, to: file)
        #expect(
            throws: ModelFileError.malformed(
                file: "corpus.safetensors", part: name, expected: "I32", found: "F32")
        ) {
            try TokenCorpus(tokenFile: file)
        }
    }

    /// A list that is there says which songs judge; one that cannot be read is no reason to draw them.
    @Test func listsThatCannotBeReadAreNamed() throws {
        let run = try TinyRun()
        let (train, valid) = (run.folder.appending(path: "train.txt"), run.folder.appending(path: "valid.txt"))
        try Data("0.mid\n 1.mid \n\n".utf8).write(to: train)
        try Data("2.mid\n".utf8).write(to: valid)
        let listed = try TokenCorpus(folder: run.folder, tokenizer: REMITokenizer(.smallVelocity))
        #expect(listed.train.count == 2 && listed.valid.count == 1)
        try Data([0x30, 0xFF]).write(to: valid)
        #expect(throws: FileError.unreadable(path: valid.path, reason: "not UTF-8")) {
            try TokenCorpus(folder: run.folder, tokenizer: REMITokenizer(.smallVelocity))
        }
        try FileManager.default.removeItem(at: valid)
        #expect(throws: FileError.self) { try RollCorpus(folder: run.folder) }
    }

    @Test func foldersWithoutSongsAreNamed() throws {
        let folder = try TemporaryFolder().url
        #expect(throws: CorpusError.self) { try TokenCorpus(folder: folder, tokenizer: REMITokenizer()) }
        try MIDIFile(notes: [], division: 480, tempo: .standard).write(to: folder.appending(path: "a.mid").path)
        #expect {
            try TokenCorpus(folder: folder, tokenizer: REMITokenizer())
        } throws: { error in
            "\(error)".contains("a.mid")
        }
    }
}
