import ComputeCore
import Foundation
import Pipeline
import SMDIM
import Testing

@Suite struct TrainingScheduleTests {
    /// Four steps to a rate of 2 and nine along half a cosine from 1 to 0.1 of it: 2 · (0.1 + 0.45 · (1 + cos(π · part))).
    @Test(arguments: [
        (0, 0.5), (1, 1), (2, 1.5), (3, 2), (4, 2), (6, 1.736_396_1), (8, 1.1), (10, 0.463_603_9), (12, 0.2),
    ])
    func rateRisesAndFallsAlongACosine(_ step: Int, _ rate: Double) {
        var options = TrainingOptions()
        (options.steps, options.warmUp, options.rate, options.finalRate) = (13, 4, 2, 0.1)
        #expect(abs(options.schedule(step: step).rate - rate) < 1e-7)
    }

    /// A run rises for at most half of its steps, reaches the highest rate and ends with the last.
    @Test(arguments: [(10, 0, 1), (10, 4, 4), (10, 100, 4), (50, 100, 24), (3, 100, 1), (2, 100, 1)])
    func shortRunsReachTheHighestRateAndTheLast(_ steps: Int, _ warmUp: Int, _ rise: Int) {
        var options = TrainingOptions()
        (options.steps, options.warmUp, options.rate, options.finalRate) = (steps, warmUp, 1, 0.02)
        let rates = (0..<steps).map { options.schedule(step: $0).rate }
        #expect(rates.first == 1 / Double(rise) && rates.max() == 1 && rates.last == 0.02)
    }

    @Test(arguments: [0, 1, 100]) func runOfOneStepHasTheHighestRate(_ warmUp: Int) {
        var options = TrainingOptions()
        (options.steps, options.warmUp, options.rate) = (1, warmUp, 1)
        #expect(options.schedule(step: 0).rate == 1)
    }

    /// k / (k + 9) of the old average in step k, counted from 1, until that reaches what the options say.
    @Test(arguments: [
        (0, 0.1), (1, 2.0 / 11), (8, 0.5), (990, 0.991), (8989, 8990.0 / 8999), (8990, 0.999), (20_000, 0.999),
    ])
    func averageStartsShort(_ step: Int, _ share: Double) {
        let schedule = TrainingOptions().schedule(step: step)
        #expect(abs(schedule.averageDecay - share) < 1e-9)
        #expect(schedule.step == step + 1)
    }

    /// Corrected moments of one gradient are itself and its square, so the first step moves a weight without decay by the
    /// rate towards where the loss falls, and the average keeps a tenth of where it was.
    @Test func firstStepIsTheRateLong() throws {
        let run = try TinyRun()
        var options = TinyRun.options
        (options.warmUp, options.rate) = (2, 0.01)
        let trainer = try run.trainer(options)
        func weights() throws -> (now: [Float], average: [Float]) {
            try trainer.writeCheckpoint(to: run.folder)
            let state = try Safetensors(
                contentsOf: run.folder.appending(path: "checkpoint-0000000\(trainer.step)/state.safetensors"))
            return try (state.tensor("value.norm.weight").floats(), state.tensor("average.norm.weight").floats())
        }
        let before = try weights().now
        _ = try trainer.takeStep()
        let after = try weights()
        let moves = zip(before, after.now).map { $1 - $0 }
        #expect(moves.allSatisfy { abs(abs($0) - 0.005) < 1e-5 }, "\(moves)")
        for (move, (old, mean)) in zip(moves, zip(before, after.average)) {
            #expect(abs(mean - old - 0.9 * move) < 1e-6)
        }
    }
}
