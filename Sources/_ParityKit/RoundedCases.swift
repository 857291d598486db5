import ComputeCore
import Foundation
import ReferenceBackend

extension ParityCase {
    /// Products whose bfloat16 input an operation before them makes, and may leave rounded: each that can, at even widths
    /// and at an odd one, where none does. The last bit of an element decides how it is rounded, and attention has rounded
    /// its own factors before: twice the 2¹⁶ units of two roundings to 8 bits, of Σ|x·w|.
    public static let rounded: [ParityCase] =
        RoundedSource.allCases.flatMap { source in
            [2, 33, 34, 64, 70].filter { source != .attention || $0.isMultiple(of: 2) }.map {
                rounded(source, width: $0)
            }
        } + [rounded(.layerNorm, width: 34, weight: .matrix), rounded(.linear, width: 64, weight: .matrix)]

    private static func rounded(
        _ source: RoundedSource, width: Int, weight layout: ParameterLayout = .bfloat16Matrix
    ) -> ParityCase {
        let (batch, length, outputs) = (2, 33, 40)
        let isRounded = layout == .bfloat16Matrix
        let sizes =
            "B=\(batch) M=\(length) N=\(outputs) K=\(width) after \(source.rawValue) bf16\(isRounded ? "" : " f32 weight")"
        // Attention's own factors are bfloat16 too, so that it is what a device without such products refuses.
        let operation = source == .attention ? Attention.name : Linear.name
        return ParityCase(operation, sizes, precision: .bfloat16, tolerance: 0x1p17) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let factor = instance.plan.intermediate([batch, length, width])
            try source.append(to: &instance, output: factor, &values)
            let weight = values.normal(outputs * width, spread: 1 / Double(width).squareRoot(), outlier: 1)
            let output = instance.output("output", [batch, length, outputs])
            try instance.plan.append(
                Linear(
                    input: factor.matrix,
                    weight: instance.parameter("weight", [outputs, width], weight, as: layout),
                    precision: .bfloat16, output: output.matrix))
            var twin = instance
            twin.compare(factor, as: "factor")
            let x = try twin.run(on: ReferenceBackend()).outputs["factor"]?.floats() ?? []
            instance.magnitudes["output"] = stride(from: 0, to: x.count, by: width).flatMap { row in
                (0..<outputs).map { column in
                    (0..<width).reduce(0) { $0 + abs(Double(x[row + $1]) * Double(weight[column * width + $1])) }
                }
            }
            return instance
        }
    }
}

/// The operations that can leave their output rounded.
private enum RoundedSource: String, CaseIterable {
    case layerNorm = "layer_norm"
    case linear
    case normalisedLinear = "linear and layer_norm"
    case selectiveScan = "selective_scan"
    case attention
    case transposedConvolution = "transposed_convolution"

    /// Records the operation in front of `output` [B, S, K].
    func append(to instance: inout ParityInstance, output: Tensor, _ values: inout SeededValues) throws {
        let (batch, length, width) = (output.shape[0], output.shape[1], output.shape[2])
        func input(_ name: String, _ shape: Shape) throws -> Tensor {
            try instance.input(name, shape, values.normal(shape.elementCount))
        }
        func parameter(_ name: String, _ shape: Shape, as layout: ParameterLayout = .plain) throws -> Tensor {
            try instance.parameter("source.\(name)", shape, values.normal(shape.elementCount), as: layout)
        }
        switch self {
        case .layerNorm:
            try instance.plan.append(
                LayerNorm(
                    input: input("x", output.shape), weight: parameter("weight", [width]),
                    bias: parameter("bias", [width]), epsilon: 1e-5, output: output))
        case .linear:
            try instance.plan.append(
                Linear(
                    input: input("x", [batch, length, 32]).matrix,
                    weight: parameter("weight", [width, 32], as: .bfloat16Matrix), bias: parameter("bias", [width]),
                    activation: .gelu, residual: input("residual", output.shape), precision: .bfloat16,
                    output: output.matrix))
        case .normalisedLinear:
            let h = instance.plan.intermediate(output.shape)
            try instance.plan.append(
                Linear(
                    input: input("x", [batch, length, 32]).matrix,
                    weight: parameter("weight", [width, 32], as: .bfloat16Matrix), residual: input("residual", h.shape),
                    precision: .bfloat16, output: h.matrix))
            try instance.plan.append(
                LayerNorm(
                    input: h, weight: parameter("norm.weight", [width]), bias: parameter("norm.bias", [width]),
                    epsilon: 1e-5, output: output))
        case .selectiveScan:
            let states = 3
            let selected = try input("selected", [batch, length, 2 * states])
            let decay = (0..<width * states).map { Float(log(Double($0 % states + 1))) }
            try instance.plan.append(
                SelectiveScan(
                    input: input("x", output.shape), delta: input("delta", output.shape),
                    inputMatrix: selected.columns(0..<states), outputMatrix: selected.columns(states..<2 * states),
                    gate: input("gate", output.shape).matrix,
                    logDecay: instance.parameter("source.A_log", [width, states], decay),
                    skip: parameter("D", [width]), output: output))
        case .attention:
            // Small scores and positive values: its error, which has cases of its own, stays relative to its output.
            let qkv = values.normal(3 * output.shape.elementCount, spread: 1, outlier: 3).enumerated().map {
                $0 % (3 * width) < 2 * width ? $1 / 4 : abs($1)
            }
            try instance.plan.append(
                Attention(
                    projections: instance.input("x", [batch, length, 3 * width], qkv), headCount: 1, rotaryBase: 10000,
                    precision: .bfloat16, output: output))
        case .transposedConvolution:
            let (stride, features) = (3, 20)
            try instance.plan.append(
                TransposedConvolution(
                    input: input("x", [batch, length / stride, features]),
                    weight: parameter("weight", [features, width, stride], as: .transposedConvolution),
                    bias: parameter("bias", [width]), activation: .relu, output: output))
        }
    }
}
