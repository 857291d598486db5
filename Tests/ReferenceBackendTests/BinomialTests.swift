import ComputeCore
import Foundation
import Testing

@Suite struct BinomialStepTests {
    private let step = StepParameters(step: 3, firstSample: 5, seed: 42)

    /// Thresholds of a sample's planes: certainty or never, by (current, estimate).
    private func words(_ isOn: [Bool]) -> [Int32] { isOn.flatMap { $0 ? [0, 1] : [0, 0] } }

    /// Each plane and each pair of values has its own probability; samples have their own thresholds.
    @Test func thresholdsAreChosenByPlaneAndValues() throws {
        var run = SingleRun()
        let current: [Float] = [0, 0, 1, 1, 0, 0, 1, 1]
        let estimate: [Float] = [0, 1, 0, 1, 0, 1, 0, 1]
        let first = [false, true, true, false] + [true, false, false, true]
        let operation = try BinomialStep(
            current: run.floats("current", [2, 1, 8], current + current),
            estimate: run.floats("estimate", [2, 1, 8], estimate + estimate),
            known: run.floats("known", [2, 1, 8], [Float](repeating: 0, count: 16)),
            thresholds: run.integers("thresholds", [2, 2, 4, 2], words(first) + words(first.map(!))),
            step: run.integers("step", StepParameters.shape, step.words), purpose: .reveal,
            output: run.output("output", [2, 1, 8]))
        let expected = first.map { $0 ? Float(1) : 0 }
        #expect(try run.results(of: operation)("output") == expected + expected.map { 1 - $0 })
    }

    @Test func drawsAreNamedByCellStepSampleAndPurpose() throws {
        var run = SingleRun()
        let threshold = Philox.threshold(probability: 0.3)
        let half = [Int32(truncatingIfNeeded: threshold), Int32(truncatingIfNeeded: threshold >> 32)]
        let cells = [Float](repeating: 0, count: 2 * 5 * 4)
        let operation = try BinomialStep(
            current: run.floats("current", [2, 5, 4], cells), estimate: run.floats("estimate", [2, 5, 4], cells),
            known: run.floats("known", [2, 5, 4], cells),
            thresholds: run.integers("thresholds", [2, 1, 4, 2], (0..<8).flatMap { _ in half }),
            step: run.integers("step", StepParameters.shape, step.words), purpose: .corrupt,
            output: run.output("output", [2, 5, 4]))
        let expected = cells.indices.map { index -> Float in
            let draw = Philox.draw(
                seed: 42, purpose: .corrupt, position: UInt32(index % 20), step: 3, sample: UInt32(5 + index / 20))
            return UInt64(draw) < threshold ? 1 : 0
        }
        #expect(try run.results(of: operation)("output") == expected)
        #expect((4...20).contains(expected.count { $0 == 1 }), "about 12 of 40")
    }

    @Test func knownCellsStayAndUndefinedOnesStaySo() throws {
        var run = SingleRun()
        let operation = try BinomialStep(
            current: run.floats("current", [1, 1, 4], [0, .nan, 0, .nan]),
            estimate: run.floats("estimate", [1, 1, 4], [0, 0, .nan, .nan]),
            known: run.floats("known", [1, 1, 4], [1, 0, 0, 1]),
            thresholds: run.integers("thresholds", [1, 1, 4, 2], [0, 1, 0, 1, 0, 1, 0, 1]),
            step: run.integers("step", StepParameters.shape, step.words), purpose: .reveal,
            output: run.output("output", [1, 1, 4]))
        let found = try run.results(of: operation)("output")
        #expect(found[0] == 0 && found[1...].allSatisfy(\.isNaN))
    }
}

@Suite struct CellDrawTests {
    private func draw(_ logits: [Float], temperature: Float) throws -> (cells: [Float], nearTies: [Int32]) {
        var run = SingleRun()
        let shape: Shape = [1, 1, logits.count]
        let step = StepParameters(step: 1, seed: 8)
        let marks = try run.integers("nearTies", shape, [Int32](repeating: 0, count: logits.count))
        let executable = try run.executable(
            of: CellDraw(
                logits: run.floats("logits", shape, logits),
                step: run.integers("step", StepParameters.shape, step.words), temperature: temperature,
                estimate: run.output("estimate", shape), nearTies: marks))
        return (try executable.read("estimate").floats(), try executable.read("nearTies").integers())
    }

    @Test func temperatureZeroIsTheThresholdOfOneHalf() throws {
        let (cells, nearTies) = try draw([-3, -0.1, 0, 0.1, 3, -.infinity, .infinity], temperature: 0)
        #expect(cells == [0, 0, 1, 1, 1, 0, 1])
        #expect(nearTies == [0, 0, 1, 0, 0, 0, 0])
    }

    @Test func whatIsNoNumberBecomesNoNote() throws {
        let cells = try draw([.nan, .infinity, -.infinity], temperature: 1).cells
        #expect(cells[0].isNaN && cells[1] == 1 && cells[2] == 0)
    }

    /// Of 4,000 cells each: 3.3 standard deviations around σ(z/T).
    @Test(arguments: [(-1.0, 1.0), (0.5, 0.5), (2.0, 2.0)]) func sharesFollowTheSigmoid(
        _ logit: Double, _ temperature: Double
    ) throws {
        let cells = try draw([Float](repeating: Float(logit), count: 4000), temperature: Float(temperature)).cells
        let p = 1 / (1 + exp(-logit / temperature))
        let share = Double(cells.count { $0 == 1 }) / 4000
        #expect(abs(share - p) < 3.3 * (p * (1 - p) / 4000).squareRoot())
    }
}

@Suite struct BinaryCrossEntropyTests {
    private func losses(
        _ logits: [Float], _ targets: [Float], known: [Float], loss: BinaryCrossEntropy.Loss
    ) throws -> (losses: [Float], slopes: [Float]) {
        var run = SingleRun()
        let shape: Shape = [1, 2, logits.count / 2]
        let results = try run.results(
            of: BinaryCrossEntropy(
                logits: run.floats("logits", shape, logits), targets: run.floats("targets", shape, targets),
                known: run.floats("known", shape, known), weights: run.floats("weights", [1], [0.5]), loss: loss,
                losses: run.output("losses", [1, 2])))
        return (try results("losses"), try results("logits"))
    }

    /// At logit ln 3 the probability is ¾.
    @Test func costsAreThoseOfTheFormulas() throws {
        let z = Float(log(3.0))
        let entropy = try losses([z, z, -z, .nan], [1, 0, 1, 0], known: [0, 0, 0, 1], loss: .crossEntropy)
        #expect(abs(Double(entropy.losses[0]) - 0.5 * (log(4 / 3) + log(4))) < 1e-6)
        #expect(abs(Double(entropy.losses[1]) - 0.5 * log(4)) < 1e-6)
        #expect(zip(entropy.slopes, [-0.125, 0.375, -0.375, 0] as [Float]).allSatisfy { abs($0 - $1) < 1e-6 })
        let absolute = try losses([z, z, -z, .nan], [1, 0, 1, 0], known: [0, 0, 0, 1], loss: .absolute)
        #expect(abs(absolute.losses[0] - 0.5 * (0.25 + 0.75)) < 1e-6 && abs(absolute.losses[1] - 0.375) < 1e-6)
        let slope = Float(0.5 * 0.75 * 0.25)
        #expect(zip(absolute.slopes, [-slope, slope, -slope, 0]).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    /// (f(z + h) − f(z − h)) / 2h over a few logits, both losses.
    @Test(arguments: BinaryCrossEntropy.Loss.allCases) func slopesAreDifferenceQuotients(
        _ loss: BinaryCrossEntropy.Loss
    ) throws {
        let logits: [Float] = [-2, -0.5, 0.25, 1.5]
        let targets: [Float] = [1, 0, 1, 0]
        let known: [Float] = [0, 0, 0, 0]
        let slopes = try losses(logits, targets, known: known, loss: loss).slopes
        for index in logits.indices {
            func sum(_ change: Float) throws -> Float {
                var moved = logits
                moved[index] += change
                return try losses(moved, targets, known: known, loss: loss).losses.reduce(0, +)
            }
            let quotient = try (sum(0x1p-6) - sum(-0x1p-6)) / 0x1p-5
            #expect(abs(slopes[index] - quotient) < 1e-4)
        }
    }
}
