public import ComputeCore
public import Foundation
public import SMDIM

/// Trains a denoiser on a backend.
///
/// A step corrupts windows of songs, adds up the gradients of its micro-batches and takes one AdamW step; every random
/// number is named by (seed, step, window), so a run that is resumed gives the bits of one that was not.
public final class Trainer<Task: TrainingTask> {
    /// The options of the run.
    public let options: TrainingOptions
    /// What is trained, and on what.
    public let task: Task
    /// AdamW steps that are done.
    public private(set) var step: Int

    private let songs: String
    private let backend: any Backend
    private let training: TrainingStep
    private let validation: any Executable

    /// Starts a run.
    ///
    /// - Parameters:
    ///   - weights: Where training starts: initial weights, or those of a model of the same sizes.
    /// - Throws: ``PipelineError``, or what the backend throws.
    public convenience init(
        _ configuration: Task.Configuration, weights: [ParameterSource], corpus: Task.Corpus, options: TrainingOptions,
        on backend: any Backend
    ) throws {
        var state: [ParameterKey: [Float]] = [:]
        for weight in weights {
            guard let values = weight.values else { continue }
            state[weight.key] = values
            state[ParameterKey(weight.key.name, .average)] = values
        }
        try self.init(configuration, corpus: corpus, state: state, step: 0, options: options, on: backend)
    }

    /// Continues the run whose checkpoints are in `folder`; the corpus must be the one that it had.
    ///
    /// - Throws: what ``TrainingCheckpoint/init(newestIn:)`` and ``init(resuming:corpus:on:)-(TrainingCheckpoint,_,_)`` throw.
    public convenience init(resuming folder: URL, corpus: Task.Corpus, on backend: any Backend) throws {
        try self.init(resuming: TrainingCheckpoint(newestIn: folder), corpus: corpus, on: backend)
    }

    /// Continues the run of a checkpoint; the corpus must be the one that it had.
    ///
    /// - Throws: ``TrainingError/checkpoint(_:expected:found:)``, ``ModelFileError``, what the task throws where the corpus does
    ///   not fit the network, or what the backend throws.
    public convenience init(
        resuming checkpoint: TrainingCheckpoint, corpus: Task.Corpus, on backend: any Backend
    ) throws {
        let (header, state) = (checkpoint.header, checkpoint.state)
        let place = "\(checkpoint.place)/training.json"
        // Checkpoints of older versions do not know their songs.
        if let songs = header.songs, songs != corpus.summary {
            throw TrainingError.checkpoint("\(place): songs", expected: songs, found: corpus.summary)
        }
        do {
            let configuration = try Task.Configuration(json: Data(header.configuration.utf8))
            for declaration in try configuration.parameters {
                for slot in TrainingCheckpoint.slots {
                    let key = ParameterKey(declaration.key.name, slot)
                    guard state[key]?.count != declaration.shape.elementCount else { continue }
                    throw TrainingError.checkpoint(
                        checkpoint.place, expected: "\(key) \(declaration.shape)",
                        found: state[key].map { "\($0.count) values" } ?? "none")
                }
            }
            try self.init(
                configuration, corpus: corpus, state: state, step: header.step, options: header.options, on: backend)
        } catch PipelineError.option(let name, let expected, let found) {
            // Whoever resumes gives no options, and no config.json either.
            throw TrainingError.checkpoint("\(place): \(name)", expected: expected, found: found)
        } catch ModelFileError.configuration(let key, let expected, let found) {
            throw TrainingError.checkpoint("\(place): configuration: \(key)", expected: expected, found: found)
        } catch ModelFileError.malformed(_, let part, let expected, let found) {
            throw TrainingError.checkpoint("\(place): configuration: \(part)", expected: expected, found: found)
        }
    }

    private init(
        _ configuration: Task.Configuration, corpus: Task.Corpus, state: [ParameterKey: [Float]], step: Int,
        options: TrainingOptions, on backend: any Backend
    ) throws {
        try options.validate()
        self.options = options
        task = try Task(configuration, corpus: corpus, options: options)
        self.step = step
        songs = corpus.summary
        self.backend = backend
        let plans = try Self.plans(configuration, options: options)
        training = try TrainingStep(plans.training, of: configuration, state: state, on: backend)
        validation = try backend.compile(plans.validation, parameters: training.parameters)
    }

    private static func plans(
        _ configuration: Task.Configuration, options: TrainingOptions
    ) throws -> (training: TrainingStep.Plans, validation: Plan) {
        let loss = try Task.lossPlan(
            configuration, windows: options.microBatch, options: options, slot: .value, purpose: .training)
        return (
            try TrainingStep.Plans(
                configuration, loss: loss, maximumNorm: options.maximumNorm, decay: options.decay),
            try Task.lossPlan(
                configuration, windows: Task.validationWindows, options: options, slot: .average, purpose: .inference)
        )
    }

    /// The bytes of the device that a run would take: weights with gradients, moments and average, and activations.
    ///
    /// - Throws: ``PipelineError`` for options that do not fit, ``ValidationError``, or what the backend throws.
    public static func memory(
        _ configuration: Task.Configuration, options: TrainingOptions, on backend: any Backend
    ) throws -> (parameters: Int, activations: Int) {
        try options.validate()
        try Task.validate(options, for: configuration)
        let plans = try plans(configuration, options: options)
        return (
            try backend.memory(of: configuration.parameters) * ParameterKey.Slot.allCases.count,
            try [plans.training.gradients, plans.training.update, plans.validation].reduce(0) {
                try $0 + backend.memory(of: $1).byteCount
            }
        )
    }
}

// MARK: - Steps

extension Trainer {
    /// Takes one AdamW step.
    ///
    /// - Throws: ``TrainingError/notANumber(step:operation:)``, or what the backend throws.
    public func takeStep() throws -> TrainingProgress {
        let batches = try microBatches()
        var loss = 0.0
        for (batch, weights) in batches {
            try training.gradients.write(batch, weights: weights)
            try training.gradients.run()
            loss += try Double(training.gradients.read("loss").floats()[0])
        }
        let clip = try training.gradients.read("clip")
        let norm = try clip.floats()[1]
        guard loss.isFinite, norm.isFinite else {
            throw TrainingError.notANumber(step: step, operation: try firstBrokenOperation(batches))
        }
        try training.takeStep(options.schedule(step: step), clip: clip)
        step += 1
        return TrainingProgress(step: step, loss: loss, gradientNorm: Double(norm))
    }

    /// The task's measure on the valid windows, with the moving average of the weights; see ``TrainingTask/metric``.
    ///
    /// - Throws: ``TrainingError/notANumber(step:operation:)``, or what the backend throws.
    public func validationMetric() throws -> Double {
        var sum = 0.0
        for index in 0..<task.validationCount {
            let (batch, weights) = try task.validation(index)
            try validation.write(batch, weights: weights)
            try validation.run()
            sum += try Double(validation.read("loss").floats()[0])
        }
        guard sum.isFinite else {
            throw TrainingError.notANumber(step: step, operation: "the measure of the valid songs")
        }
        return sum
    }

    /// Times are stratified over the whole batch: window i of B gets t in ((i)/B, (i + 1)/B].
    private func microBatches() throws -> [(batch: TrainingBatch, weights: [Float])] {
        let offset =
            Double(Philox.draw(seed: options.seed, purpose: .trainTime, position: 0, step: UInt32(step))) * 0x1p-32
        let batches = try stride(from: 0, to: options.batch, by: options.microBatch).map { first in
            let samples = first..<first + options.microBatch
            return try task.batch(
                step: step, samples: samples, times: samples.map { (Double($0) + 1 - offset) / Double(options.batch) })
        }
        let counted = batches.reduce(0) { $0 + $1.countedCells.reduce(0, +) }
        let all = batches.reduce(0) { $0 + $1.cellCount }
        return batches.map { batch in
            (batch, batch.times.map { Float(options.weighting.weight(time: $0, counted: counted, of: all)) })
        }
    }

    /// Runs the micro-batches again, one operation after the other, and names the first whose output is no number.
    ///
    /// The gradients hold what is broken already, so they are cleared before; a run that ends here needs them no more.
    private func firstBrokenOperation(_ batches: [(batch: TrainingBatch, weights: [Float])]) throws -> String {
        let parameters = training.parameters
        for key in parameters.keys where key.slot == .gradient {
            try parameters.write(key, [Float](repeating: 0, count: parameters.read(key).shape.elementCount))
        }
        var broken: String?
        for (batch, weights) in batches where broken == nil {
            try training.gradients.write(batch, weights: weights)
            var index = 0
            try training.gradients.trace { operation, written in
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
    /// - Throws: ``ModelFileError/unwritable(file:reason:)``, or an error of the device; earlier checkpoints stay as they are.
    public func writeCheckpoint(to folder: URL) throws {
        try TrainingCheckpoint.write(
            TrainingCheckpoint.Header(
                step: step, options: options, configuration: task.configuration.json, songs: songs),
            parameters: training.parameters, to: folder)
    }

    /// Writes a model folder with the moving average of the weights.
    ///
    /// - Throws: ``ModelFileError``, or an error of the device.
    public func writeModel(
        to folder: URL, as type: Safetensors.StoredType = .float16, readme: String
    ) throws {
        let weights = try task.configuration.parameters.map { declaration in
            let average = try training.parameters.read(ParameterKey(declaration.key.name, .average))
            return try ParameterSource(declaration.key, declaration.layout, declaration.shape, average.floats())
        }
        try ModelFolder.write(
            task.configuration, weights: weights, as: type, isTrained: true, tokenizer: task.tokenizerJSON,
            readme: readme, to: folder)
    }
}
