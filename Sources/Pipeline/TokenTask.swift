public import ComputeCore
import Diffusion
public import Foundation
import Music
public import SMDIM

/// Training a ``TokenDenoiser`` by absorbing-state diffusion: each token of a window is masked with probability t, or where the
/// options say so, as a ``Sweep`` of some strength leaves it at the time t.
///
/// Whatever it was trained on, it is judged by the bound on the negative log-likelihood of held-out windows: for each window
/// 64 times t, stratified over (0, 1] and fixed by the seed, give 64 corruptions; the bound is the mean of
/// Σ_masked CE / (t · L · ln 2). Source: arXiv 2107.03006 with α_t = 1 − t.
public struct TokenTask: TrainingTask {
    public static let metric = "bits per token"
    /// Corruptions of a valid window.
    private static let timesPerWindow = 64

    public let configuration: ModelConfiguration
    public let tokenizerJSON: Data?
    public static let validationWindows = 8

    private let sampler: WindowSampler
    private let validWindows: [[Int32]]
    private let seed: UInt64
    private let sweptWindows: Double

    public static func validate(_ options: TrainingOptions, for configuration: ModelConfiguration) throws {
        guard options.length % configuration.stride == 0 else {
            throw PipelineError.option(
                name: "length", expected: "a multiple of the stride \(configuration.stride)", found: "\(options.length)"
            )
        }
        guard options.cellLoss == .crossEntropy else {
            throw PipelineError.option(
                name: "cell-loss", expected: "\(BinaryCrossEntropy.Loss.crossEntropy.rawValue) for tokens",
                found: options.cellLoss.rawValue)
        }
    }

    public init(_ configuration: ModelConfiguration, corpus: TokenCorpus, options: TrainingOptions) throws {
        try Self.validate(options, for: configuration)
        let vocabulary = corpus.tokenizer.vocabulary
        try vocabulary.check(fits: configuration.vocabularySize, model: "to train", tokenizer: "of the corpus")
        guard let bar = vocabulary.id(of: .bar), let pad = vocabulary.id(of: .pad) else {
            throw PipelineError.missingToken("Bar or PAD")
        }
        func windows(_ songs: [[Int32]]) -> WindowSampler {
            WindowSampler(songs, length: options.length, bar: Int32(bar), pad: Int32(pad), seed: options.seed)
        }
        self.configuration = configuration
        tokenizerJSON = Data(corpus.tokenizer.configuration.tokenizerJSON())
        seed = options.seed
        sweptWindows = options.sweptWindows
        sampler = windows(corpus.train)
        validWindows = windows(corpus.valid).consecutiveWindows(options.validWindows)
    }

    public static func lossPlan(
        _ configuration: ModelConfiguration, windows: Int, options: TrainingOptions, slot: ParameterKey.Slot,
        purpose: RecordingPurpose
    ) throws -> Plan {
        try TokenDenoiser(configuration, precision: options.precision(for: purpose), slot: slot, purpose: purpose)
            .lossPlan(batch: windows, length: options.length)
    }

    public func batch(step: Int, samples: Range<Int>, times: [Double]) throws -> TrainingBatch {
        let windows = samples.map { sampler.window(step: step, sample: $0) }
        let probabilities = windows.indices.map { index in
            let (sweep, places) = sampler.sweep(
                of: windows[index], share: sweptWindows, step: step, sample: samples.lowerBound + index)
            return places.map { sweep.maskProbability(place: $0, time: times[index]) }
        }
        return try TrainingBatch(
            windows: windows, times: times, probabilities: probabilities, seed: seed, step: step,
            firstSample: samples.lowerBound)
    }

    public var validationCount: Int { validWindows.count * Self.timesPerWindow / Self.validationWindows }

    public func validation(_ index: Int) throws -> (batch: TrainingBatch, weights: [Float]) {
        let (window, first) = (index * Self.validationWindows).quotientAndRemainder(dividingBy: Self.timesPerWindow)
        let offset = Double(Philox.draw(seed: 0, purpose: .trainTime, position: UInt32(window))) * 0x1p-32
        let times = (first..<first + Self.validationWindows).map {
            (Double($0) + 1 - offset) / Double(Self.timesPerWindow)
        }
        let tokens = validWindows[window]
        let batch = try TrainingBatch(
            windows: [[Int32]](repeating: tokens, count: Self.validationWindows), times: times,
            probabilities: times.map { time in tokens.map { _ in time } }, seed: 0, step: window, firstSample: first)
        let corruptions = Double(validWindows.count * Self.timesPerWindow)
        return (batch, times.map { Float(1 / ($0 * Double(tokens.count) * corruptions * log(2))) })
    }
}

extension TrainingBatch {
    /// Windows of tokens, each token masked with its own probability.
    ///
    /// - Parameters:
    ///   - step: Part of every draw's counter.
    ///   - firstSample: The number of the first window among the step's, part of every draw's counter.
    fileprivate init(
        windows: [[Int32]], times: [Double], probabilities: [[Double]], seed: UInt64, step: Int, firstSample: Int
    ) throws {
        let parameters = StepParameters(
            step: Int32(truncatingIfNeeded: step), firstSample: Int32(firstSample), seed: seed)
        let shape: Shape = [windows.count, windows[0].count]
        let thresholds = probabilities.map { $0.map(Philox.threshold(probability:)) }
        self.init(
            inputs: [
                "clean": try HostTensor(shape, windows.flatMap(\.self)),
                "thresholds": try HostTensor([shape[0], shape[1], 2], thresholds.joined().flatMap(\.halfWords)),
                "step": try HostTensor(StepParameters.shape, parameters.words),
            ],
            times: times,
            // The device draws the same numbers.
            countedCells: windows.enumerated().map { index, window in
                window.indices.count { position in
                    let draw = Philox.draw(
                        seed: seed, purpose: .corrupt, position: UInt32(position),
                        step: UInt32(truncatingIfNeeded: step), sample: UInt32(firstSample + index))
                    return UInt64(draw) < thresholds[index][position]
                }
            },
            cellCount: shape.elementCount)
    }
}

extension Array {
    /// At most `count` elements, evenly spaced from the first on: number i is the one at ⌊i · all / count⌋.
    func spread(_ count: Int) -> [Element] {
        let count = Swift.min(count, self.count)
        return (0..<count).map { self[$0 * self.count / count] }
    }
}
