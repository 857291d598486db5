public import ComputeCore
public import Foundation
import Music
public import SMDIM

/// Trains a token denoiser by absorbing-state diffusion on a backend.
///
/// A step corrupts windows of songs, adds up the gradients of its micro-batches and takes one AdamW step; every random
/// number is named by (seed, step, window), so a run that is resumed gives the bits of one that was not.
public final class Trainer {
    /// The options of the run.
    public let options: TrainingOptions
    /// The sizes of the model.
    public let configuration: ModelConfiguration
    /// AdamW steps that are done.
    public private(set) var step: Int

    private let backend: any Backend
    private let parameters: any ParameterStore
    private let sampler: WindowSampler
    private let gradients: any Executable
    private let update: any Executable
    private let bound: ValidBound
    private let tokenizer: Data

    /// What one step did.
    public struct Progress: Sendable {
        /// Steps that are done.
        public let step: Int
        /// The step's loss in nats, weighted as the options say.
        public let loss: Double
        /// The norm of all gradients before clipping.
        public let gradientNorm: Double
        /// Tokens per second of this step.
        public let tokensPerSecond: Double
    }

    /// Starts a run.
    ///
    /// - Parameters:
    ///   - weights: Where training starts: initial weights, or those of a model of the same sizes.
    /// - Throws: ``PipelineError``, or what the backend throws.
    public convenience init(
        _ configuration: ModelConfiguration, weights: [ParameterSource], corpus: Corpus, options: TrainingOptions,
        on backend: any Backend
    ) throws {
        var state: [ParameterKey: [Float]] = [:]
        for weight in weights {
            guard let values = weight.values else { continue }
            state[weight.key] = values
            state[ParameterKey(weight.key.name, .average)] = values
        }
        try self.init(configuration, state: state, step: 0, corpus: corpus, options: options, on: backend)
    }

    /// Continues the run whose checkpoints are in `folder`.
    ///
    /// - Throws: ``TrainingError/checkpoint(_:expected:found:)``, ``ModelFileError``, or what the backend throws.
    public convenience init(resuming folder: URL, corpus: Corpus, on backend: any Backend) throws {
        let (header, state) = try TrainingCheckpoint.latest(in: folder)
        let configuration = try ModelConfiguration(json: Data(header.configuration.utf8))
        for declaration in try configuration.parameters
        where state[declaration.key]?.count != declaration.shape.elementCount {
            throw TrainingError.checkpoint(
                folder.path, expected: "\(declaration.key) \(declaration.shape)",
                found: state[declaration.key].map { "\($0.count) values" } ?? "none")
        }
        try self.init(
            configuration, state: state, step: header.step, corpus: corpus, options: header.options, on: backend)
    }

    private init(
        _ configuration: ModelConfiguration, state: [ParameterKey: [Float]], step: Int, corpus: Corpus,
        options: TrainingOptions, on backend: any Backend
    ) throws {
        try options.validate()
        let vocabulary = corpus.tokenizer.vocabulary
        try vocabulary.check(fits: configuration.vocabularySize, model: "to train", tokenizer: "of the corpus")
        guard options.length % configuration.stride == 0 else {
            throw PipelineError.option(
                name: "length", expected: "a multiple of the stride \(configuration.stride)", found: "\(options.length)"
            )
        }
        guard let bar = vocabulary.id(of: .bar), let pad = vocabulary.id(of: .pad) else {
            throw PipelineError.missingToken("Bar or PAD")
        }
        self.options = options
        self.configuration = configuration
        self.step = step
        self.backend = backend
        tokenizer = Data(corpus.tokenizer.configuration.tokenizerJSON())
        func windows(_ songs: [[Int32]]) -> WindowSampler {
            WindowSampler(songs, length: options.length, bar: Int32(bar), pad: Int32(pad), seed: options.seed)
        }
        sampler = windows(corpus.train)
        let plans = try Self.plans(configuration, options: options)
        parameters = try backend.prepare(Self.slots(of: configuration, state: state))
        gradients = try backend.compile(plans.gradients, parameters: parameters)
        update = try backend.compile(plans.update, parameters: parameters)
        let valid = windows(corpus.valid).consecutiveWindows()
        let spacing = max(1, valid.count / options.validWindows)
        bound = try ValidBound(
            stride(from: 0, to: valid.count, by: spacing).prefix(options.validWindows).map { valid[$0] },
            configuration: configuration, on: backend, parameters: parameters)
    }

    private static func plans(
        _ configuration: ModelConfiguration, options: TrainingOptions
    ) throws -> (gradients: Plan, update: Plan) {
        (
            try TokenDenoiser(configuration, purpose: .training).trainingPlan(
                batch: options.microBatch, length: options.length, maximumNorm: options.maximumNorm),
            try configuration.updatePlan(decay: options.decay)
        )
    }

    private static func slots(
        of configuration: ModelConfiguration, state: [ParameterKey: [Float]]
    ) throws -> [ParameterSource] {
        try configuration.parameters.flatMap { declaration in
            try ParameterKey.Slot.allCases.map { slot in
                let key = ParameterKey(declaration.key.name, slot)
                return try ParameterSource(key, declaration.layout, declaration.shape, state[key])
            }
        }
    }

    /// The bytes of the device that a run would take: weights with gradients, moments and average, and activations.
    ///
    /// - Throws: ``ValidationError``, or what the backend throws.
    public static func memory(
        _ configuration: ModelConfiguration, options: TrainingOptions, on backend: any Backend
    ) throws -> (parameters: Int, activations: Int) {
        let plans = try plans(configuration, options: options)
        return (
            try backend.memory(of: configuration.parameters) * ParameterKey.Slot.allCases.count,
            try backend.memory(of: plans.gradients).byteCount + backend.memory(of: plans.update).byteCount
        )
    }
}

// MARK: - Steps

extension Trainer {
    /// Takes one AdamW step.
    ///
    /// - Throws: ``TrainingError/notANumber(step:operation:)``, or what the backend throws.
    public func takeStep() throws -> Progress {
        let start = ContinuousClock.now
        let batches = try microBatches()
        let masked = batches.reduce(0) { $0 + $1.maskedCounts.reduce(0, +) }
        var loss = 0.0
        for batch in batches {
            try batch.write(to: gradients, weights: batch.times.map { weight(time: $0, masked: masked) })
            try gradients.run()
            loss += try Double(gradients.read("loss").floats()[0])
        }
        let clip = try gradients.read("clip")
        let norm = try clip.floats()[1]
        guard loss.isFinite, norm.isFinite, let last = batches.last else {
            throw TrainingError.notANumber(step: step, operation: try firstBrokenOperation(batches))
        }
        let schedule = options.schedule(step: step)
        try update.write("clip", clip)
        try update.write("schedule", HostTensor(AdamWSchedule.shape, schedule.values))
        try update.run()
        try update.wait()
        step += 1
        let tokens = batches.count * last.clean.shape.elementCount
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return Progress(step: step, loss: loss, gradientNorm: Double(norm), tokensPerSecond: Double(tokens) / seconds)
    }

    /// The bound on the valid windows, in bits per token, with the moving average of the weights.
    ///
    /// - Throws: what the backend throws.
    public func validBitsPerToken() throws -> Double { try bound.bitsPerToken() }

    /// Times are stratified over the whole batch: window i of B gets t in ((i)/B, (i + 1)/B].
    private func microBatches() throws -> [TrainingBatch] {
        let offset =
            Double(Philox.draw(seed: options.seed, purpose: .trainTime, position: 0, step: UInt32(step))) * 0x1p-32
        return try stride(from: 0, to: options.batch, by: options.microBatch).map { first in
            let samples = first..<first + options.microBatch
            return try TrainingBatch(
                windows: samples.map { sampler.window(step: step, sample: $0) },
                times: samples.map { (Double($0) + 1 - offset) / Double(options.batch) }, seed: options.seed,
                step: step,
                firstSample: first)
        }
    }

    private func weight(time: Double, masked: Int) -> Float {
        let positions = Double(options.batch * options.length)
        switch options.weighting {
        case .mean: return Float(1 / Double(max(masked, 1)))
        case .elbo: return Float(1 / (time * positions))
        case .reweighted: return Float((1 - time) / positions)
        }
    }

    /// Runs the micro-batches again, one operation after the other, and names the first whose output is no number.
    ///
    /// The gradients hold what is broken already, so they are cleared before; a run that ends here needs them no more.
    private func firstBrokenOperation(_ batches: [TrainingBatch]) throws -> String {
        for key in parameters.keys where key.slot == .gradient {
            try parameters.write(key, [Float](repeating: 0, count: parameters.read(key).shape.elementCount))
        }
        let masked = batches.reduce(0) { $0 + $1.maskedCounts.reduce(0, +) }
        var broken: String?
        for batch in batches where broken == nil {
            try batch.write(to: gradients, weights: batch.times.map { weight(time: $0, masked: masked) })
            var index = 0
            try gradients.trace { operation, written in
                for (name, tensor) in written.sorted(by: { $0.key < $1.key }) {
                    guard case .float32(let values) = tensor.values, !values.allSatisfy(\.isFinite) else { continue }
                    broken = broken ?? "\(operation.name) (operation \(index), \(name))"
                }
                index += 1
                return broken == nil
            }
        }
        return broken ?? "the sum of the micro-batches"
    }
}

// MARK: - Saving

extension Trainer {
    /// Writes a checkpoint into `folder`; the last two are kept.
    ///
    /// - Throws: an error of the file system or the device; earlier checkpoints stay as they are.
    public func writeCheckpoint(to folder: URL) throws {
        try TrainingCheckpoint.write(
            TrainingCheckpoint.Header(step: step, options: options, configuration: configuration.json),
            parameters: parameters, to: folder)
    }

    /// Writes a model folder with the moving average of the weights.
    ///
    /// - Throws: ``ModelFileError``, or an error of the device.
    public func writeModel(
        to folder: URL, as type: Safetensors.StoredType = .float16, readme: String
    ) throws {
        var weights: [String: HostTensor] = [:]
        for declaration in try configuration.parameters {
            weights[declaration.key.name] = try parameters.read(ParameterKey(declaration.key.name, .average))
        }
        try ModelFolder.write(
            configuration, weights: weights, as: type, isTrained: true, tokenizer: tokenizer, readme: readme, to: folder
        )
    }
}
