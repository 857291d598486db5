import ComputeCore
import Foundation
import Pipeline
import SMDIM
import Testing

/// Losses of a network that finds every token equally likely: ln V at each masked position, times the weight of its window.
@Suite struct WeightedLossTests {
    /// The positions of 16 that are masked at the time t, by the draws that a corruption is named by.
    private func masked(seed: UInt64, step: Int, sample: Int, time: Double) -> Double {
        let count = (0..<16).count { position in
            let draw = Philox.draw(
                seed: seed, purpose: .corrupt, position: UInt32(position), step: UInt32(step), sample: UInt32(sample))
            return Double(draw) * 0x1p-32 < time
        }
        return Double(count)
    }

    /// The place in [0, 1) of a batch's times within their strata.
    private func offset(seed: UInt64, position: Int = 0, step: Int = 0) -> Double {
        Double(Philox.draw(seed: seed, purpose: .trainTime, position: UInt32(position), step: UInt32(step))) * 0x1p-32
    }

    /// With c_b of L positions masked at t_b in B windows: ln V · Σ w(t_b) · c_b / (B · L), w = 1/t or 1 − t, or over Σ c_b
    /// with w = 1. Sources: arXiv 2107.03006 with α_t = 1 − t; arXiv 2305.09489, whose default is 1 − t.
    @Test(arguments: TrainingOptions.Weighting.allCases) func lossIsWeightedByTime(
        _ weighting: TrainingOptions.Weighting
    ) throws {
        let run = try TinyRun()
        var options = TinyRun.options
        (options.weighting, options.seed) = (weighting, 3)
        let trainer = try run.trainer(options, weights: run.evenWeights())
        let progress = try trainer.takeStep()
        let times = (1...4).map { (Double($0) - offset(seed: 3)) / 4 }
        let counts = times.enumerated().map { masked(seed: 3, step: 0, sample: $0, time: $1) }
        let sum =
            switch weighting {
            case .mean: 1.0
            case .elbo: zip(times, counts).reduce(0) { $0 + $1.1 / $1.0 } / 64
            case .reweighted: zip(times, counts).reduce(0) { $0 + (1 - $1.0) * $1.1 } / 64
            }
        let expected = log(Double(run.configuration.vocabularySize)) * sum
        #expect(abs(progress.loss - expected) < 1e-5 * expected && progress.gradientNorm > 0)
    }

    /// The bound −E Σ_masked log₂ p / (t · L), over 64 times of each window: log₂ V · the mean of c / (t · L).
    @Test func boundIsInBitsPerToken() throws {
        let run = try TinyRun()
        var options = TinyRun.options
        options.validWindows = 2
        let trainer = try run.trainer(options, weights: run.evenWeights())
        try #require(trainer.task.validationCount * TokenTask.validationWindows == 2 * 64)
        let shares = (0..<2).flatMap { window in
            (0..<64).map { sample in
                let time = (Double(sample) + 1 - offset(seed: 0, position: window)) / 64
                return masked(seed: 0, step: window, sample: sample, time: time) / (time * 16)
            }
        }
        let expected = log2(Double(run.configuration.vocabularySize)) * shares.reduce(0, +) / 128
        #expect(abs(try trainer.validationMetric() - expected) < 1e-5 * expected)
    }
}
