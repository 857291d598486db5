import ComputeCore
import Foundation
import ReferenceBackend
import Testing

/// A scan of a whole sequence and of its two halves, the second starting from the first one's final state.
@Suite struct SelectiveScanLawTests {
    @Test(arguments: [1, 4, 8])
    func twoHalvesMakeTheWhole(_ cut: Int) throws {
        let (length, channels, states) = (9, 5, 3)
        let values = ScanInputs(length: length, channels: channels, states: states)
        let whole = try values.scan(0..<length)
        let first = try values.scan(0..<cut)
        let second = try values.scan(cut..<length, from: first.state)
        #expect(closeTo(first.output + second.output, whole.output))
        #expect(closeTo(second.state, whole.state))
        #expect(try !closeTo(first.output + values.scan(cut..<length).output, whole.output), "the state matters")
    }

    private func closeTo(_ a: [Float], _ b: [Float]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= 1e-6 * (1 + abs($1)) }
    }
}

private struct ScanInputs {
    let (length, channels, states): (Int, Int, Int)

    /// Values in the ranges of a model, from a sine so that they are the same everywhere.
    private func values(_ count: Int, _ phase: Double, scale: Double = 1, offset: Double = 0) -> [Float] {
        (0..<count).map { Float(scale * sin(Double($0) * 1.7 + phase) + offset) }
    }

    func scan(_ range: Range<Int>, from state: [Float]? = nil) throws -> (output: [Float], state: [Float]) {
        var run = SingleRun()
        func rows(_ columns: Int, _ phase: Double, scale: Double = 1, offset: Double = 0) -> [Float] {
            let all = values(length * columns, phase, scale: scale, offset: offset)
            return Array(all[range.lowerBound * columns..<range.upperBound * columns])
        }
        let wide: Shape = [1, range.count, channels]
        let narrow: Shape = [1, range.count, states]
        let output = run.output("output", wide)
        let final = run.output("state", [1, channels, states])
        let initial = try state.map { try run.floats("initial", [1, channels, states], $0) }
        let scan = try SelectiveScan(
            input: run.floats("u", wide, rows(channels, 0)),
            delta: run.floats("delta", wide, rows(channels, 1, offset: -1)),
            inputMatrix: run.floats("B", narrow, rows(states, 2)).matrix,
            outputMatrix: run.floats("C", narrow, rows(states, 3)).matrix,
            gate: run.floats("z", wide, rows(channels, 4, scale: 2)).matrix,
            logDecay: run.floats("A_log", [channels, states], values(channels * states, 5)),
            skip: run.floats("D", [channels], values(channels, 6)), output: output, initialState: initial,
            finalState: final)
        let results = try run.results(of: scan)
        return (try results("output"), try results("state"))
    }
}
