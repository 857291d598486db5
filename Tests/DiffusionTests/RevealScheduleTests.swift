import ComputeCore
import Diffusion
import Testing

@Suite struct RevealScheduleTests {
    private static let mask: Int32 = 9

    private static func schedule(
        _ order: SamplingOptions.Order, _ spacing: TimeGrid.Spacing, steps: Int, initial: [[Int32]],
        firstSample: Int32 = 5
    ) throws -> RevealSchedule {
        let options = try SamplingOptions(grid: TimeGrid(spacing, stepCount: steps), order: order, seed: 0)
        return RevealSchedule(options, initial: initial, mask: mask, seed: 31, firstSample: firstSample)
    }

    /// 24.3 is the 0.999 quantile of χ² with seven degrees of freedom.
    @Test(arguments: TimeGrid.Spacing.allCases)
    func scheduledStepsRevealTheSharesOfTheGrid(_ spacing: TimeGrid.Spacing) throws {
        let tokens = (0..<12_500).map { $0 % 5 == 0 ? Int32(3) : Self.mask }
        let schedule = try Self.schedule(.scheduled, spacing, steps: 8, initial: [tokens, tokens])
        let samples = try #require(schedule.revealSteps)
        #expect(samples.count == 2 && samples[0] != samples[1])
        let grid = try TimeGrid(spacing, stepCount: 8)
        for steps in samples {
            #expect(zip(tokens, steps).allSatisfy { $0 == Self.mask ? (0..<8).contains($1) : $1 == -1 })
            let chiSquare = (0..<8).reduce(0) { sum, k in
                let expected = 10_000 * (grid.time(k) - grid.time(k + 1))
                let difference = Double(steps.count { $0 == Int32(k) }) - expected
                return sum + difference * difference / expected
            }
            #expect(chiSquare < 24.3)
        }
        let alone = try Self.schedule(.scheduled, spacing, steps: 8, initial: [tokens], firstSample: 6)
        #expect(alone.revealSteps == [samples[1]])
    }

    @Test func scheduledStepsAreThoseThatRevealSomething() throws {
        let initial: [[Int32]] = [[9, 9, 1, 9], [9, 2, 9, 9]]
        let schedule = try Self.schedule(.scheduled, .uniform, steps: 1000, initial: initial)
        let revealing = Set(try #require(schedule.revealSteps).joined()).subtracting([-1]).sorted()
        #expect(revealing.count > 3)
        #expect(schedule.steps == revealing.map { StepParameters(step: $0, firstSample: 5, seed: 31) })
    }

    @Test(arguments: TimeGrid.Spacing.allCases)
    func ancestralStepsRevealTheLostPartOfTheTime(_ spacing: TimeGrid.Spacing) throws {
        let schedule = try Self.schedule(.ancestral, spacing, steps: 50, initial: [[9, 1]])
        let grid = try TimeGrid(spacing, stepCount: 50)
        let expected = (0..<50).map { k in
            let (t, s) = (grid.time(k), grid.time(k + 1))
            return StepParameters(
                step: Int32(k), firstSample: 5, seed: 31,
                revealThreshold: Philox.threshold(probability: (t - s) / t))
        }
        #expect(schedule.steps == expected)
        #expect(schedule.revealSteps == nil)
    }

    /// With more steps than masked positions some reveal none and are left out.
    @Test(arguments: TimeGrid.Spacing.allCases, [1, 7, 64])
    func confidenceStepsLeaveTheGridsShareMasked(_ spacing: TimeGrid.Spacing, _ steps: Int) throws {
        let initial = [[Int32]](repeating: [1, 2] + [Int32](repeating: Self.mask, count: 40), count: 2)
        let schedule = try Self.schedule(.confidence, spacing, steps: steps, initial: initial)
        let grid = try TimeGrid(spacing, stepCount: steps)
        var masked: Int32 = 40
        let left = (0..<steps).map { k in
            masked -= schedule.steps.first { $0.step == Int32(k) }?.revealCount ?? 0
            return masked
        }
        #expect(left == (0..<steps).map { Int32((40 * grid.time($0 + 1)).rounded()) })
        #expect(schedule.steps.reduce(0) { $0 + $1.revealCount } == 40)
        #expect(schedule.steps.allSatisfy { $0.revealCount > 0 && $0.firstSample == 5 && $0.seed == 31 })
        #expect(schedule.steps.map(\.step) == schedule.steps.map(\.step).sorted())
        #expect(schedule.revealSteps == nil)
    }

    @Test(arguments: SamplingOptions.Order.allCases)
    func whereNothingIsMaskedNoStepRuns(_ order: SamplingOptions.Order) throws {
        let schedule = try Self.schedule(order, .uniform, steps: 8, initial: [[1, 2], [3, 4]])
        #expect(schedule.steps.isEmpty)
        #expect(schedule.revealSteps == (order == .scheduled ? [[-1, -1], [-1, -1]] : nil))
    }
}
