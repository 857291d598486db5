import ComputeCore
import Foundation

extension ParityCase {
    /// As in ``selectiveScan`` errors are remembered, here both ways: 24 units of the gradients over absolute values.
    ///
    /// In the gradient of the step sizes two sums of opposite sign meet, so its magnitude is the largest of the tensor.
    static let selectiveScanBackward: [ParityCase] = [
        (1, 1, 1, 1), (1, 5, 15, 4), (2, 16, 16, 16), (3, 33, 17, 5), (1, 65, 40, 16), (2, 131, 70, 7), (1, 40, 16, 64),
        (1, 257, 80, 16), (9, 70, 9, 3),
        // More rows than one launch has; the plain kernel sums them over two parts.
        (1, 32_800, 9, 1),
    ].map { selectiveScanBackward(batch: $0, length: $1, channels: $2, states: $3) }

    static func selectiveScanBackward(batch: Int, length: Int, channels: Int, states: Int) -> ParityCase {
        ParityCase(
            "selective_scan_backward", "B=\(batch) S=\(length) I=\(channels) N=\(states)",
            tolerance: 24
        ) { seeded in
            let values = ScanSlopes(batch: batch, length: length, channels: channels, states: states, values: seeded)
            var instance = try values.instance { $0 }
            try instance.takeMagnitudes(from: values.instance(\.magnitudes))
            let largest = instance.magnitudes["deltaGradient"]?.max() ?? 0
            instance.magnitudes["deltaGradient"]?.replaceSubrange(
                0..., with: [Double](repeating: largest, count: batch * length * channels))
            return instance
        }
    }
}

/// The operands of a scan and the gradient of its output.
private struct ScanSlopes {
    let shape: Shape
    let states: Int
    private let rank = 3
    private let u: [Float]
    private let delta: [Float]
    private let selected: [Float]
    private let expanded: [Float]
    private let logDecay: [Float]
    private let skip: [Float]
    private let dy: [Float]
    private let before: [Float]

    init(batch: Int, length: Int, channels: Int, states: Int, values: SeededValues) {
        var values = values
        shape = [batch, length, channels]
        self.states = states
        u = values.normal(shape.elementCount)
        delta = values.normal(shape.elementCount, spread: 1.2, outlier: 4).map { $0 - 3.5 }
        selected = values.normal(batch * length * (rank + 2 * states))
        expanded = values.normal(2 * shape.elementCount)
        logDecay = (0..<channels * states).map { Float(log(Double($0 % states + 1))) }
        skip = values.normal(channels)
        dy = values.normal(shape.elementCount)
        before = values.normal(channels * states)
    }

    /// `value` is applied to what enters linearly; the decays stay.
    func instance(_ value: ([Float]) -> [Float]) throws -> ParityInstance {
        var instance = ParityInstance()
        let (batch, length, channels) = (shape[0], shape[1], shape[2])
        let projections: Shape = [batch, length, rank + 2 * states]
        let selected = try instance.input("selected", projections, value(selected))
        let expanded = try instance.input("expanded", [batch, length, 2 * channels], value(expanded))
        let (b, c) = (rank..<rank + states, rank + states..<rank + 2 * states)
        let scan = SelectiveScan(
            input: try instance.input("u", shape, value(u)), delta: try instance.input("delta", shape, delta),
            inputMatrix: selected.columns(b), outputMatrix: selected.columns(c),
            gate: expanded.columns(channels..<2 * channels),
            logDecay: try instance.parameter("A_log", [channels, states], logDecay),
            skip: try instance.parameter("D", [channels], value(skip)), output: instance.plan.intermediate(shape))
        let zeros = [Float](repeating: 0, count: batch * length * max(2 * channels, rank + 2 * states))
        let selectedGradient = try instance.gradient(
            "selectedGradient", projections, adding: Array(zeros.prefix(projections.elementCount)))
        let expandedGradient = try instance.gradient(
            "expandedGradient", [batch, length, 2 * channels], adding: Array(zeros.prefix(2 * shape.elementCount)))
        try instance.plan.append(
            SelectiveScanBackward(
                forward: scan, outputGradient: instance.input("outputGradient", shape, value(dy)),
                inputGradient: instance.output("inputGradient", shape),
                deltaGradient: instance.output("deltaGradient", shape),
                inputMatrixGradient: selectedGradient.columns(b), outputMatrixGradient: selectedGradient.columns(c),
                gateGradient: expandedGradient.columns(channels..<2 * channels),
                // Over absolute values the decays' gradient is negative; so is then what it is added to.
                logDecayGradient: instance.sum(
                    "logDecayGradient", [channels, states], value(before).map { -$0 }),
                skipGradient: instance.sum("skipGradient", [channels], value(Array(before.prefix(channels))))))
        return instance
    }
}
