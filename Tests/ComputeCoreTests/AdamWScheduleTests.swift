import ComputeCore
import Testing

@Suite struct AdamWScheduleTests {
    /// 1 / (1 − βᵏ) with β₁ = 0.9 and β₂ = 0.99, worked out by hand: 0.9² = 0.81, 0.99² = 0.9801, 0.9³ = 0.729 and
    /// 0.99³ = 0.970299. Source: Kingma and Ba, arXiv 1412.6980, algorithm 1.
    @Test(arguments: [
        (1, 10, 100), (2, 5.263_158, 50.251_256), (3, 3.690_037, 33.668_900),
        // 0.9¹⁰⁰⁰ is nothing beside 1, 0.99¹⁰⁰⁰ is 4.317 · 10⁻⁵.
        (1000, 1, 1.000_043),
    ])
    func momentsAreCorrectedForTheirStartAtZero(_ step: Int, _ first: Double, _ second: Double) {
        let values = AdamWSchedule(rate: 0.5, step: step, averageDecay: 0.75).values.map(Double.init)
        #expect(abs(values[4] - first) <= 1e-6 * first && abs(values[5] - second) <= 1e-6 * second)
    }

    @Test func numbersLieInTheOrderInWhichKernelsReadThem() {
        let schedule = AdamWSchedule(
            rate: 0.5, firstDecay: 0.25, secondDecay: 0.125, epsilon: 0.0625, step: 1, averageDecay: 0.75)
        #expect(schedule.values == [0.5, 0.25, 0.125, 0.0625, 4 / 3, 8 / 7, 0.75])
        #expect(AdamWSchedule.shape == [schedule.values.count])
    }
}
