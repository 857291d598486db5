public import ComputeCore
public import Foundation
public import SMDIM

/// Songs to learn from and songs to judge by.
public protocol TrainingCorpus: Sendable {
    /// How many they are and how long, such as `9 songs of 1200 bars to learn from, 1 of 90 to judge by`; a checkpoint keeps it
    /// to know its songs again.
    var summary: String { get }
}

extension TrainingCorpus {
    /// The summary of songs of these lengths.
    func summary(train: [Int], valid: [Int], of unit: String) -> String {
        "\(train.count) songs of \(train.reduce(0, +)) \(unit) to learn from, "
            + "\(valid.count) of \(valid.reduce(0, +)) to judge by"
    }
}

/// What a run trains: a network's loss, the windows it learns from, and how it is judged.
public protocol TrainingTask: Sendable {
    /// The sizes of the network.
    associatedtype Configuration: DenoiserConfiguration
    /// The songs.
    associatedtype Corpus: TrainingCorpus

    /// What ``validation(_:)`` sums up to, such as `bits per token`.
    static var metric: String { get }

    /// The sizes of the network.
    var configuration: Configuration { get }
    /// The bytes of `tokenizer.json` for the finished model, if it reads tokens.
    var tokenizerJSON: Data? { get }

    /// Checks that options fit a network, before there are songs.
    ///
    /// - Throws: ``PipelineError/option(name:expected:found:)``, or ``ModelFileError`` for a network that cannot be trained.
    static func validate(_ options: TrainingOptions, for configuration: Configuration) throws

    /// A task.
    ///
    /// - Throws: what ``validate(_:for:)`` throws, or an error if the corpus does not fit the network.
    init(_ configuration: Configuration, corpus: Corpus, options: TrainingOptions) throws

    /// A plan from the inputs of a ``TrainingBatch`` and `weights` to the kept tensor `loss` [1].
    static func lossPlan(
        _ configuration: Configuration, windows: Int, options: TrainingOptions, slot: ParameterKey.Slot,
        purpose: RecordingPurpose
    ) throws -> Plan

    /// The windows `samples` of a step, corrupted at the given times.
    func batch(step: Int, samples: Range<Int>, times: [Double]) throws -> TrainingBatch

    /// Windows of one validation.
    static var validationWindows: Int { get }
    /// Number of validations.
    var validationCount: Int { get }
    /// Valid windows under fixed noise, with weights that make the sum of all validations' losses the ``metric``.
    func validation(_ index: Int) throws -> (batch: TrainingBatch, weights: [Float])
}

/// What one step of a run did.
public struct TrainingProgress: Sendable {
    /// Steps that are done.
    public let step: Int
    /// The step's loss in nats, weighted as the options say.
    public let loss: Double
    /// The norm of all gradients before clipping.
    public let gradientNorm: Double
}
