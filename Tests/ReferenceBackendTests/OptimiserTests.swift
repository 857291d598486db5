import ComputeCore
import Testing

/// What follows a backward pass, on numbers that can be followed with a pencil.
@Suite struct OptimiserTests {
    /// Decay comes off the weight itself and ε onto the root of the corrected moment, as in torch.optim.AdamW, which
    /// makes these numbers in float64; the average is ¾ · 2 + ¼ · w.
    ///
    /// η = 1/4, ε = 1/2, step 3, g = ½ · 3 clipped, m = 0.9 · 0.5 + 0.1 · 1.5 = 0.6,
    /// v = 0.99 · 0.25 + 0.01 · 1.5² = 0.27,
    /// w = 1 − η · ½ · 1 − η · (0.6 / (1 − 0.9³)) / (√(0.27 / (1 − 0.99³)) + ε) = 0.7175332393.
    @Test func adamWTakesAStep() throws {
        var run = SingleRun()
        let schedule = AdamWSchedule(
            rate: 0.25, firstDecay: 0.9, secondDecay: 0.99, epsilon: 0.5, step: 3, averageDecay: 0.75)
        let operation = try AdamW(
            weight: run.floats("weight", [1], [1]), gradient: run.floats("gradient", [1], [3]),
            firstMoment: run.floats("m", [1], [0.5]), secondMoment: run.floats("v", [1], [0.25]),
            average: run.floats("average", [1], [2]), clip: run.floats("clip", [2], [0.5, 7]),
            schedule: run.floats("schedule", AdamWSchedule.shape, schedule.values), decay: 0.5)
        let result = try run.results(of: operation)
        let expected: [(String, Float)] = [
            ("weight", 0.7175332393), ("m", 0.6), ("v", 0.27), ("average", 1.6793833098), ("gradient", 0),
        ]
        for (name, value) in expected { #expect(try abs(result(name)[0] - value) < 3e-7, "\(name)") }
    }

    @Test(arguments: [(Float(1), Float(0.2)), (10, 1), (.infinity, 1)])
    func gradientsAreScaledDownToTheLargestNorm(_ maximum: Float, _ factor: Float) throws {
        var run = SingleRun()
        let operation = try GradientNorm(
            gradients: [run.floats("g", [1], [3]), run.floats("h", [1, 1], [-4])], maximum: maximum,
            output: run.output("y", [2]))
        #expect(try run.results(of: operation)("y") == [factor, 5])
    }
}
