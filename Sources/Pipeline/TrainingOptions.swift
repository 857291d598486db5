public import ComputeCore
import Foundation
import SMDIM

/// What a training run does; with the corpus it determines every bit of the result.
public struct TrainingOptions: Codable, Hashable, Sendable {
    /// How the positions of a loss are weighted; t is the diffusion time, outside swept windows the share of masked tokens.
    /// Source: arXiv 2107.03006, 2305.09489.
    public enum Weighting: String, Codable, Hashable, Sendable, CaseIterable {
        /// The mean over all masked positions of the batch.
        case mean
        /// 1/t: the bound on the likelihood.
        case elbo
        /// 1 − t: the reweighted bound.
        case reweighted

        /// The weight of a window's counted cells, of which the batch has `counted` among `all`.
        func weight(time: Double, counted: Int, of all: Int) -> Double {
            switch self {
            case .mean: 1 / Double(max(counted, 1))
            case .elbo: 1 / (time * Double(all))
            case .reweighted: (1 - time) / Double(all)
            }
        }
    }

    /// AdamW steps in all.
    public var steps = 2000
    /// Windows of a step, over all micro-batches.
    public var batch = 8
    /// Windows that are computed at once; gradients of several are added up.
    public var microBatch = 8
    /// Tokens, or time steps, of a window.
    public var length = 1024
    /// The highest learning rate.
    public var rate = 1.5e-3
    /// Steps in which the rate rises to it, linearly; at most half of those before the last.
    public var warmUp = 100
    /// The rate of the last step, as a share of the highest; a cosine leads there. A run of one step has the highest.
    public var finalRate = 0.02
    /// Weight decay per unit of rate, on matrices only.
    public var decay: Float = 0.05
    /// The norm above which gradients are scaled down; infinity for no clipping.
    public var maximumNorm: Float = 1
    /// The share that the moving average of the weights keeps in a step.
    public var averageDecay = 0.999
    /// How positions are weighted.
    public var weighting = Weighting.mean
    /// The share of the windows that are masked as a sweep of some strength leaves them, bars that are known beside bars that
    /// are not; see ``WindowSampler/sweep(of:share:step:sample:)``. For tokens alone, under the weighting `mean`.
    public var sweptWindows = 0.0
    /// What a cell of a piano roll costs; tokens have cross-entropy alone.
    public var cellLoss = BinaryCrossEntropy.Loss.crossEntropy
    /// Type of the factors of the products of linear layers and of their gradients; weights, gradients and AdamW's state are
    /// float32, and so is what judges the model.
    public var precision = Precision.float32
    /// Names every random number.
    public var seed: UInt64 = 0
    /// Steps between two checkpoints.
    public var checkpointEvery = 500
    /// Windows of the valid songs that the bound is measured on while training.
    public var validWindows = 8

    /// The defaults.
    public init() {}

    /// Reads the options of a checkpoint; those that it is too old to know have their defaults.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        steps = try values.decode(Int.self, forKey: .steps)
        batch = try values.decode(Int.self, forKey: .batch)
        microBatch = try values.decode(Int.self, forKey: .microBatch)
        length = try values.decode(Int.self, forKey: .length)
        rate = try values.decode(Double.self, forKey: .rate)
        warmUp = try values.decode(Int.self, forKey: .warmUp)
        finalRate = try values.decode(Double.self, forKey: .finalRate)
        decay = try values.decode(Float.self, forKey: .decay)
        maximumNorm = try values.decode(Float.self, forKey: .maximumNorm)
        averageDecay = try values.decode(Double.self, forKey: .averageDecay)
        weighting = try values.decode(Weighting.self, forKey: .weighting)
        sweptWindows = try values.decodeIfPresent(Double.self, forKey: .sweptWindows) ?? sweptWindows
        cellLoss = try values.decodeIfPresent(BinaryCrossEntropy.Loss.self, forKey: .cellLoss) ?? cellLoss
        precision = try values.decodeIfPresent(Precision.self, forKey: .precision) ?? precision
        seed = try values.decode(UInt64.self, forKey: .seed)
        checkpointEvery = try values.decode(Int.self, forKey: .checkpointEvery)
        validWindows = try values.decode(Int.self, forKey: .validWindows)
    }

    /// The most positions that a step's windows, or the windows of a validation, may have; the host holds them at once.
    static let maximumPositions = 1 << 24

    /// Checks every option.
    ///
    /// - Throws: ``PipelineError/option(name:expected:found:)``.
    public func validate() throws(PipelineError) {
        func require(_ condition: Bool, _ name: String, _ expected: String, _ found: some CustomStringConvertible)
            throws(PipelineError)
        {
            guard condition else { throw .option(name: name, expected: expected, found: "\(found)") }
        }
        // Draws count steps in 32 bits.
        try require((1...Int(Int32.max)).contains(steps), "steps", "1 to \(Int32.max)", steps)
        try require(batch >= 1, "batch", "at least 1", batch)
        try require(microBatch >= 1, "micro-batch", "at least 1", microBatch)
        try require(
            batch % microBatch == 0, "batch", "a multiple of the micro-batch \(microBatch)", batch)
        try require((1...1 << 20).contains(length), "length", "1 to \(1 << 20)", length)
        let most = Self.maximumPositions / length
        try require(batch <= most, "batch", "at most \(most) windows of \(length)", batch)
        try require(rate > 0 && rate.isFinite, "rate", "a positive number", rate)
        try require((0...1).contains(finalRate), "final-rate", "a number in [0, 1]", finalRate)
        try require(warmUp >= 0, "warm-up", "0 or more", warmUp)
        try require(decay >= 0 && decay.isFinite, "decay", "0 or more", decay)
        try require(maximumNorm > 0, "maximum-norm", "a positive number", maximumNorm)
        try require((0..<1).contains(averageDecay), "average-decay", "a number in [0, 1)", averageDecay)
        try require((0...1).contains(sweptWindows), "swept", "a number in [0, 1]", sweptWindows)
        try require(
            sweptWindows == 0 || weighting == .mean, "swept",
            "0 under the weighting \(weighting), or the weighting mean", sweptWindows)
        try require(checkpointEvery >= 1, "checkpoint-every", "at least 1", checkpointEvery)
        try require((1...most).contains(validWindows), "valid-windows", "1 to \(most) of \(length)", validWindows)
    }

    /// The precision in which a plan is recorded: what judges the model stays float32, so that its figures compare.
    func precision(for purpose: RecordingPurpose) -> Precision { purpose == .training ? precision : .float32 }

    /// The numbers of one AdamW step; steps count from 0. The average starts short, so that it forgets the initial weights.
    package func schedule(step: Int) -> AdamWSchedule {
        // A short run, too, reaches the highest rate and falls from it.
        let warmUp = min(warmUp, (steps - 1) / 2)
        let warm = min(1, Double(step + 1) / Double(max(warmUp, 1)))
        let progress = Double(max(0, step - warmUp)) / Double(max(1, steps - 1 - warmUp))
        let cosine = finalRate + (1 - finalRate) * 0.5 * (1 + cos(.pi * min(1, progress)))
        return AdamWSchedule(
            rate: rate * warm * cosine, step: step + 1,
            averageDecay: min(averageDecay, Double(step + 1) / Double(step + 10)))
    }
}
