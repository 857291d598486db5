import Diffusion
import Testing

@Suite struct TimeGridTests {
    @Test(arguments: TimeGrid.Spacing.allCases, [1, 2, 7, 64])
    func leadsFromOneToZero(_ spacing: TimeGrid.Spacing, _ count: Int) throws {
        let grid = try TimeGrid(spacing, stepCount: count)
        #expect(grid.time(0) == 1)
        #expect(grid.time(count) == 0)
        for k in 0..<count { #expect(grid.time(k) > grid.time(k + 1)) }
        #expect(grid.revealProbability(step: count - 1) == 1)
    }

    @Test(arguments: TimeGrid.Spacing.allCases, [1, 3, 64])
    func everyTimeFallsIntoItsStep(_ spacing: TimeGrid.Spacing, _ count: Int) throws {
        let grid = try TimeGrid(spacing, stepCount: count)
        for numerator in 1...997 {
            let tau = Double(numerator) / 997
            let step = grid.step(revealing: tau)
            #expect(grid.time(step + 1) < tau && tau <= grid.time(step))
        }
    }

    /// Survival through the steps is the product of (1 − reveal probability) and must be t itself.
    @Test(arguments: TimeGrid.Spacing.allCases)
    func revealProbabilitiesGiveTheMarginal(_ spacing: TimeGrid.Spacing) throws {
        let grid = try TimeGrid(spacing, stepCount: 16)
        var survival = 1.0
        for k in 0..<16 {
            survival *= 1 - grid.revealProbability(step: k)
            #expect(abs(survival - grid.time(k + 1)) < 1e-12)
        }
    }

    @Test(arguments: [0, -1, 1_000_001]) func otherCountsAreRefused(_ count: Int) {
        #expect(throws: SamplingError.stepCount(count)) { try TimeGrid(stepCount: count) }
    }
}
