import ComputeCore
import Foundation
import Testing

@Suite struct AttentionTests {
    /// All keys are equal, so every position takes the mean of the values, whatever the queries are.
    @Test func equalKeysGiveTheMean() throws {
        var run = SingleRun()
        let operation = try Attention(
            projections: run.floats("qkv", [1, 3, 6], [5, 1, 0, 0, 3, 9, -2, 4, 0, 0, 6, 3, 1, 1, 0, 0, 0, 0]),
            headCount: 1, rotaryBase: 10000, output: run.output("y", [1, 3, 2]),
            logSumExp: run.output("sum", [1, 1, 3]))
        let results = try run.results(of: operation)
        for (y, value) in zip(try results("y"), [3, 4, 3, 4, 3, 4] as [Float]) { #expect(abs(y - value) < 1e-6) }
        for sum in try results("sum") { #expect(abs(sum - Float(log(3.0))) < 1e-6) }
    }

    /// Head width 2 has one frequency, 1, so that position p turns by p.
    ///
    /// With q = k = (1, 0) the score of two positions is
    /// cos(p − p′) / √2, so two positions weigh 1 : e^((cos 1 − 1)/√2).
    @Test func rotationDependsOnTheDistance() throws {
        var run = SingleRun()
        let operation = try Attention(
            projections: run.floats("qkv", [1, 2, 6], [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1]),
            headCount: 1, rotaryBase: 10000, output: run.output("y", [1, 2, 2]))
        let other = exp((cos(1.0) - 1) / 2.0.squareRoot())
        let (near, far) = (Float(1 / (1 + other)), Float(other / (1 + other)))
        for (y, value) in zip(try run.results(of: operation)("y"), [near, far, far, near]) {
            #expect(abs(y - value) < 1e-6)
        }
    }

    /// A score of 10⁴ would overflow an exponential that nothing was taken from.
    @Test func largeScoresStayFinite() throws {
        var run = SingleRun()
        let operation = try Attention(
            projections: run.floats("qkv", [1, 2, 6], [100, 0, 100, 0, 1, 2, 100, 0, 0, 0, 3, 4]), headCount: 1,
            rotaryBase: 1e30, output: run.output("y", [1, 2, 2]))
        let y = try run.results(of: operation)("y")
        #expect(abs(y[0] - 1) < 1e-6 && abs(y[1] - 2) < 1e-6)
        #expect(y.allSatisfy { $0.isFinite })
    }
}

@Suite struct SelectiveScanTests {
    /// Above 20 softplus is the number itself: Δ = 30, and A = −1 forgets everything but e⁻³⁰.
    ///
    /// With B = 1, C = 2, D = 3:
    /// y = (2 · 30 · u + 3 · u) · SiLU(z), and SiLU(40) = 40.
    @Test func aLongStepForgets() throws {
        var run = SingleRun()
        let operation = try SelectiveScan(
            input: run.floats("u", [1, 2, 1], [1, 0.5]), delta: run.floats("delta", [1, 2, 1], [30, 30]),
            inputMatrix: run.floats("B", [1, 2, 1], [1, 1]).matrix,
            outputMatrix: run.floats("C", [1, 2, 1], [2, 2]).matrix,
            gate: run.floats("z", [1, 2, 1], [40, 40]).matrix,
            logDecay: run.floats("A_log", [1, 1], [0]), skip: run.floats("D", [1], [3]),
            output: run.output("y", [1, 2, 1]), finalState: run.output("h", [1, 1, 1]))
        let results = try run.results(of: operation)
        #expect(try results("y") == [2520, 1260])
        #expect(try results("h") == [15])
    }

    /// softplus(0) = ln 2 and A = −2: the state is quartered at each step, and two states add up.
    @Test func statesDecayEachOnItsOwn() throws {
        var run = SingleRun()
        let ln2 = log(2.0)
        let operation = try SelectiveScan(
            input: run.floats("u", [1, 2, 1], [1, 0]), delta: run.floats("delta", [1, 2, 1], [0, 0]),
            inputMatrix: run.floats("B", [1, 2, 2], [1, 10, 0, 0]).matrix,
            outputMatrix: run.floats("C", [1, 2, 2], [1, 1, 1, 1]).matrix,
            gate: run.floats("z", [1, 2, 1], [40, 40]).matrix,
            logDecay: run.floats("A_log", [1, 2], [Float(ln2), 0]), skip: run.floats("D", [1], [0]),
            output: run.output("y", [1, 2, 1]))
        let y = try run.results(of: operation)("y").map(Double.init)
        #expect(abs(y[0] - 40 * 11 * ln2) < 1e-4)
        #expect(abs(y[1] - 40 * (0.25 + 5) * ln2) < 1e-4)
    }
}
