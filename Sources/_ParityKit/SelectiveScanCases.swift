import ComputeCore
import Foundation
import ReferenceBackend

extension ParityCase {
    /// The decay of a step errs by a few units and the state remembers the errors of the steps before: with the step
    /// sizes of the model it forgets within some tens of steps. 64 units of the scan of absolute values, times |SiLU(z)|.
    static let selectiveScan: [ParityCase] = [
        (1, 1, 1, 1), (1, 5, 15, 4), (2, 16, 16, 16), (3, 17, 17, 5), (1, 65, 40, 16), (2, 131, 33, 7), (1, 40, 16, 64),
        (1, 257, 80, 16), (1, 1100, 24, 16), (2, 512, 128, 16), (1, 9, 600, 4),
    ].flatMap { batch, length, channels, states in
        [false, true].map { carries in
            selectiveScan(batch: batch, length: length, channels: channels, states: states, carries: carries)
        }
    }

    /// exp(90) is no float: each state forgets within a step.
    static let forgettingScan = selectiveScan(
        batch: 1, length: 9, channels: 3, states: 4, carries: true, logDecay: 90)

    /// - Parameter logDecay: Of every state; those of Mamba's initialisation if nil.
    static func selectiveScan(
        batch: Int, length: Int, channels: Int, states: Int, carries: Bool, logDecay: Float? = nil
    ) -> ParityCase {
        let sizes =
            "B=\(batch) S=\(length) I=\(channels) N=\(states)" + (carries ? " state" : "")
            + (logDecay.map { " A_log=\($0)" } ?? "")
        return ParityCase("selective_scan", sizes, tolerance: 64) { seeded in
            var scan = ScanValues(batch: batch, length: length, channels: channels, states: states, values: seeded)
            if let logDecay { scan.logDecay = scan.logDecay.map { _ in logDecay } }
            var instance = try scan.instance(carries: carries)
            scan.takeAbsoluteValues()
            let magnitudes = try scan.instance(carries: carries).run(on: ReferenceBackend()).outputs
            for (name, tensor) in magnitudes {
                let values = try tensor.floats().map(Double.init)
                let largest = values.reduce(0) { $1.isFinite ? max($0, $1) : $0 }
                // exp(x) errs by |x| units as x is rounded, and a state that decayed from M to m has Σ|x| = ln(M / m).
                let decayed = { (m: Double) in m > 0 && m < largest ? m * (1 + log(largest / m) / 64) : m }
                instance.magnitudes[name] = seeded.kind == .model ? values : values.map(decayed)
            }
            return instance
        }
    }
}

/// The operands of a scan, in the ranges that the model produces.
private struct ScanValues {
    let shape: Shape
    let states: Int
    let rank = 3
    var u: [Float]
    var delta: [Float]
    var selected: [Float]
    var expanded: [Float]
    var logDecay: [Float]
    var skip: [Float]
    var state: [Float]

    init(batch: Int, length: Int, channels: Int, states: Int, values: SeededValues) {
        var values = values
        shape = [batch, length, channels]
        self.states = states
        u = values.normal(shape.elementCount)
        // Before softplus: steps between 0.001 and 0.1, as Mamba is initialised, and some beyond the linear part.
        delta = values.normal(shape.elementCount, spread: 1.2, outlier: 8).map { $0 - 3.5 }
        selected = values.normal(batch * length * (rank + 2 * states))
        expanded = values.normal(2 * shape.elementCount)
        logDecay = (0..<channels * states).map { Float(log(Double($0 % states + 1))) }
        skip = values.normal(channels)
        state = values.normal(batch * channels * states)
    }

    func instance(carries: Bool) throws -> ParityInstance {
        var instance = ParityInstance()
        let (batch, length, channels) = (shape[0], shape[1], shape[2])
        let selected = try instance.input("selected", [batch, length, rank + 2 * states], selected)
        let expanded = try instance.input("expanded", [batch, length, 2 * channels], expanded)
        let stateShape: Shape = [batch, channels, states]
        let output = instance.output("output", shape)
        try instance.plan.append(
            SelectiveScan(
                input: instance.input("u", shape, u), delta: instance.input("delta", shape, delta),
                inputMatrix: selected.columns(rank..<rank + states),
                outputMatrix: selected.columns(rank + states..<rank + 2 * states),
                gate: expanded.columns(channels..<2 * channels),
                logDecay: instance.parameter("A_log", [channels, states], logDecay),
                skip: instance.parameter("D", [channels], skip), output: output,
                initialState: carries ? instance.input("initialState", stateShape, state) : nil,
                finalState: carries ? instance.output("finalState", stateShape) : nil))
        return instance
    }

    /// Everything that enters linearly; the decays stay, and the gate becomes one whose SiLU is |SiLU(z)| or more.
    mutating func takeAbsoluteValues() {
        u = u.map { abs($0) }
        selected = selected.map { abs($0) }
        expanded = expanded.map { abs($0) }
        skip = skip.map { abs($0) }
        state = state.map { abs($0) }
    }
}
