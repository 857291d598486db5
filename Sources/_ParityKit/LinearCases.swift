import ComputeCore
import OpenCLBackend

/// The parts of a linear layer that one case has.
struct LinearShape: Sendable {
    var batch = 1
    var rows: Int
    var outputs: Int
    var inputs: Int
    var hasBias = false
    var activation = Activation.none
    var hasResidual = false
    /// Columns before and behind the input in a wider tensor.
    var inputMargin = 0
    /// Columns before and behind the output in a wider tensor.
    var outputMargin = 0
    var precision = Precision.float32
    /// Whether a weight of bfloat16 products is resident in float32, as training has it.
    var roundsWeight = false

    var description: String {
        let parts =
            [hasBias ? "bias" : nil, activation == .none ? nil : activation.rawValue, hasResidual ? "residual" : nil]
            .compactMap(\.self) + (inputMargin > 0 ? ["view in"] : []) + (outputMargin > 0 ? ["view out"] : [])
            + (precision == .bfloat16 ? ["bf16"] : []) + (roundsWeight ? ["f32 weight"] : [])
        return (["B=\(batch) M=\(rows) N=\(outputs) K=\(inputs)"] + parts).joined(separator: " ")
    }
}

extension ParityCase {
    /// With bfloat16 the reference rounds the same factors, products are exact, and the bound is that of float32.
    static let linear: [ParityCase] =
        [
            LinearShape(rows: 1, outputs: 1, inputs: 1),
            LinearShape(rows: 7, outputs: 31, inputs: 3, hasBias: true),
            LinearShape(rows: 8, outputs: 32, inputs: 16, activation: .relu),
            LinearShape(rows: 9, outputs: 33, inputs: 17, hasBias: true, activation: .gelu, hasResidual: true),
            LinearShape(
                batch: 3, rows: 13, outputs: 40, inputs: 29, hasBias: true, activation: .relu, hasResidual: true),
            LinearShape(batch: 2, rows: 65, outputs: 64, inputs: 128, hasResidual: true),
            LinearShape(rows: 127, outputs: 96, inputs: 32, hasBias: true, inputMargin: 5),
            LinearShape(rows: 33, outputs: 70, inputs: 47, hasBias: true, outputMargin: 3),
            LinearShape(rows: 512, outputs: 64, inputs: 1024),
            LinearShape(rows: 512, outputs: 256, inputs: 32, hasBias: true, inputMargin: 32),
            LinearShape(rows: 257, outputs: 300, inputs: 520, hasBias: true, activation: .gelu),
            LinearShape(batch: 2, rows: 5, outputs: 2048, inputs: 512),
            LinearShape(rows: 1, outputs: 1, inputs: 1, precision: .bfloat16),
            LinearShape(rows: 9, outputs: 33, inputs: 17, hasBias: true, hasResidual: true, precision: .bfloat16),
            LinearShape(
                batch: 3, rows: 13, outputs: 40, inputs: 29, hasBias: true, activation: .gelu, inputMargin: 5,
                precision: .bfloat16),
            LinearShape(rows: 127, outputs: 64, inputs: 128, outputMargin: 3, precision: .bfloat16),
            LinearShape(rows: 257, outputs: 300, inputs: 520, activation: .relu, precision: .bfloat16),
            LinearShape(rows: 1, outputs: 33, inputs: 32, precision: .bfloat16),
            LinearShape(
                batch: 2, rows: 33, outputs: 70, inputs: 96, hasBias: true, activation: .gelu, hasResidual: true,
                precision: .bfloat16),
            LinearShape(rows: 65, outputs: 64, inputs: 1024, hasBias: true, inputMargin: 5, precision: .bfloat16),
            LinearShape(rows: 1, outputs: 1, inputs: 1, precision: .bfloat16, roundsWeight: true),
            LinearShape(
                rows: 9, outputs: 33, inputs: 17, hasBias: true, hasResidual: true, precision: .bfloat16,
                roundsWeight: true),
            LinearShape(
                batch: 2, rows: 33, outputs: 70, inputs: 96, hasBias: true, inputMargin: 5, outputMargin: 3,
                precision: .bfloat16, roundsWeight: true),
        ].map { linear($0) }

    static func linear(_ shape: LinearShape) -> ParityCase {
        let product = ProductShape(
            rows: shape.rows, outputs: shape.outputs, inputs: shape.inputs, precision: shape.precision)
        return ParityCase(
            "linear", shape.description, precision: shape.precision, tolerance: product.tolerance
        ) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let (n, k) = (shape.outputs, shape.inputs)
            let rows = shape.batch * shape.rows
            let wide = k + 2 * shape.inputMargin
            let x = values.normal(rows * wide)
            let weight = values.normal(n * k, spread: 1 / Double(k).squareRoot(), outlier: 1)
            let bias = shape.hasBias ? values.normal(n) : nil
            let residual = shape.hasResidual ? values.normal(rows * n) : nil
            let input = try instance.input("input", [shape.batch, shape.rows, wide], x)
            let outputWidth = n + 2 * shape.outputMargin
            let output = try instance.outputInside(
                "output", [shape.batch, shape.rows, outputWidth], isWhole: shape.outputMargin == 0)
            try instance.plan.append(
                Linear(
                    input: input.columns(shape.inputMargin..<shape.inputMargin + k),
                    weight: instance.parameter(
                        "weight", [n, k], weight, as: shape.roundsWeight ? .matrix : shape.precision.matrixLayout),
                    bias: bias.map { try instance.parameter("bias", [n], $0) }, activation: shape.activation,
                    residual: residual.map { try instance.input("residual", [shape.batch, shape.rows, n], $0) },
                    precision: shape.precision,
                    output: output.columns(shape.outputMargin..<shape.outputMargin + n)))
            var magnitudes = [Double](repeating: 0, count: rows * outputWidth)
            for row in 0..<rows {
                for column in 0..<n {
                    var sum = bias.map { abs(Double($0[column])) } ?? 0
                    for i in 0..<k {
                        sum += abs(Double(x[row * wide + shape.inputMargin + i]) * Double(weight[column * k + i]))
                    }
                    sum += residual.map { abs(Double($0[row * n + column])) } ?? 0
                    magnitudes[row * outputWidth + shape.outputMargin + column] = sum
                }
            }
            instance.magnitudes["output"] = magnitudes
            return instance
        }
    }
}

extension ParityInstance {
    /// An output of which an operation writes only some columns: an input, so that the others have known values.
    fileprivate mutating func outputInside(_ name: String, _ shape: Shape, isWhole: Bool) throws -> Tensor {
        if isWhole { return output(name, shape) }
        let tensor = try input(name, shape, [Float](repeating: -7, count: shape.elementCount))
        compare(tensor, as: name)
        return tensor
    }
}
