import ComputeCore
import Foundation
import Testing

/// Each operation on numbers that can be followed with a pencil.
@Suite struct LayerTests {
    @Test func embeddingTakesRows() throws {
        var run = SingleRun()
        let operation = try Embedding(
            tokens: run.integers("tokens", [1, 4], [2, 0, 3, -1]),
            table: run.floats("table", [3, 2], [1, 2, 3, 4, 5, 6]),
            output: run.output("y", [1, 4, 2]))
        let y = try run.results(of: operation)("y")
        #expect(y.prefix(4) == [5, 6, 1, 2])
        #expect(y.suffix(4).allSatisfy { $0.isNaN }, "an id that is no row")
    }

    /// Mean 3 and population variance 4 in the first row; the second has variance 0.
    @Test func layerNormUsesThePopulationVariance() throws {
        var run = SingleRun()
        let operation = try LayerNorm(
            input: run.floats("x", [1, 2, 2], [1, 5, 7, 7]), weight: run.floats("weight", [2], [10, 100]),
            bias: run.floats("bias", [2], [1, 2]), epsilon: 1e-12, output: run.output("y", [1, 2, 2]))
        #expect(try run.results(of: operation)("y") == [-9, 102, 1, 2])
    }

    /// x = (1, 2), (3, 4); W = ((1, 0), (1, −2)): x·Wᵀ + b = (1, −3), (3, −5) + (0, 4).
    @Test(arguments: [(Activation.none, [Float(11), 21, 33, 39]), (.relu, [11, 21, 33, 40])])
    func linearAddsBiasThenActivatesThenAddsTheResidual(_ activation: Activation, _ expected: [Float]) throws {
        var run = SingleRun()
        let operation = try Linear(
            input: run.floats("x", [2, 2], [1, 2, 3, 4]).matrix, weight: run.weight([2, 2], .matrix, [1, 0, 1, -2]),
            bias: run.floats("b", [2], [0, 4]), activation: activation,
            residual: run.floats("r", [2, 2], [10, 20, 30, 40]), output: run.output("y", [2, 2]).matrix)
        #expect(try run.results(of: operation)("y") == expected)
    }

    @Test func linearReadsAndWritesColumns() throws {
        var run = SingleRun()
        let target = try run.floats("y", [2, 3], [0, 7, 8, 0, 9, 10])
        let operation = try Linear(
            input: run.floats("x", [2, 3], [1, 2, 3, 4, 5, 6]).columns(1..<3),
            weight: run.weight([1, 2], .matrix, [10, 1]),
            output: target.columns(0..<1))
        #expect(try run.results(of: operation)("y") == [23, 7, 8, 56, 9, 10])
    }

    /// Factors rounded to bfloat16: 1 + 2⁻⁹ becomes 1, the product of 3 and 1 stays 3.
    @Test(arguments: [(Precision.float32, Float(3 + 3 * 0x1p-9)), (.bfloat16, 3)])
    func precisionRoundsTheFactors(_ precision: Precision, _ expected: Float) throws {
        var run = SingleRun()
        let operation = try Linear(
            input: run.floats("x", [1, 1], [1 + 0x1p-9]).matrix, weight: run.weight([1, 1], .matrix, [3]),
            precision: precision, output: run.output("y", [1, 1]).matrix)
        #expect(try run.results(of: operation)("y") == [expected])
    }

    /// GELU(x) = x · Φ(x), Φ(1) = 0.8413447461, Φ(2) = 0.9772498681.
    @Test func geluIsExact() throws {
        var run = SingleRun()
        let operation = try Activate(
            input: run.floats("x", [5], [0, 1, -1, 2, -100]), activation: .gelu, output: run.output("y", [5]))
        let expected: [Float] = [0, 0.8413447461, -0.1586552539, 1.9544997361, 0]
        for (y, value) in zip(try run.results(of: operation)("y"), expected) { #expect(abs(y - value) < 1e-7) }
    }

    /// Two samples of one channel, so that nothing may leak from one to the next; SiLU(1) = 0.7310585786.
    @Test func causalConvolutionLooksBackOnly() throws {
        var run = SingleRun()
        let operation = try CausalConvolution(
            input: run.floats("x", [2, 3, 1], [1, 0, 0, 0, 0, 1]).matrix,
            weight: run.floats("weight", [1, 1, 2], [1, -1]), bias: run.floats("bias", [1], [0]),
            output: run.output("y", [2, 3, 1]))
        let (one, minusOne) = (Float(0.7310585786), Float(-0.2689414214))
        for (y, value) in zip(try run.results(of: operation)("y"), [minusOne, one, 0, 0, 0, minusOne]) {
            #expect(abs(y - value) < 1e-7)
        }
    }

    /// One output channel sums both taps of both input channels: 1·1 + 2·10 + 3·100 + 4·1000 + 5.
    @Test func stridedConvolutionTakesWindows() throws {
        var run = SingleRun()
        let operation = try StridedConvolution(
            input: run.floats("x", [1, 4, 2], [1, 3, 2, 4, -1, 0, 0, 0]),
            weight: run.weight([1, 2, 2], .stridedConvolution, [1, 10, 100, 1000]),
            bias: run.floats("bias", [1], [0.5]), activation: .relu, output: run.output("y", [1, 2, 1]))
        #expect(try run.results(of: operation)("y") == [4321.5, 0])
    }

    @Test func transposedConvolutionSpreadsAPosition() throws {
        var run = SingleRun()
        let operation = try TransposedConvolution(
            input: run.floats("x", [1, 2, 1], [2, -1]),
            weight: run.weight([1, 2, 2], .transposedConvolution, [1, 10, 100, 1000]),
            bias: run.floats("bias", [2], [0, 5]), activation: .none, output: run.output("y", [1, 4, 2]))
        #expect(try run.results(of: operation)("y") == [2, 205, 20, 2005, -1, -95, -10, -995])
    }

    @Test(arguments: [(false, [Float(1), 9, 3, 9]), (true, [11, 9, 33, 9])])
    func copiedRowsReplaceOrAdd(_ accumulates: Bool, _ expected: [Float]) throws {
        var run = SingleRun()
        let operation = try CopyRows(
            source: run.floats("source", [2, 2], [1, 2, 3, 4]).columns(0..<1),
            target: run.floats("target", [2, 2], [10, 9, 30, 9]).columns(0..<1), accumulates: accumulates)
        #expect(try run.results(of: operation)("target") == expected)
    }
}
