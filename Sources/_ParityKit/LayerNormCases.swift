import ComputeCore
import OpenCLBackend
import ReferenceBackend

extension ParityCase {
    /// Two sums over D, a reciprocal root and three multiplications; sums of D terms in any order err by a few units
    /// of the mean magnitude, hence 16 units of |weight| · max|x − μ| / σ + |bias|.
    static let layerNorm: [ParityCase] = [
        (1, 1, 1), (1, 3, 16), (2, 5, 17), (3, 31, 40), (1, 64, 255), (2, 33, 256), (1, 7, 257), (1, 130, 512),
    ].map { layerNorm(batch: $0, length: $1, width: $2) }

    static func layerNorm(batch: Int, length: Int, width: Int) -> ParityCase {
        ParityCase("layer_norm", "B=\(batch) S=\(length) D=\(width)", tolerance: 16) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let shape: Shape = [batch, length, width]
            let x = values.normal(shape.elementCount).map { $0 + 0.5 }
            let (weight, bias) = (values.normal(width), values.normal(width))
            let output = instance.output("output", shape)
            let epsilon: Float = 1e-5
            try instance.plan.append(
                LayerNorm(
                    input: instance.input("input", shape, x),
                    weight: instance.parameter("weight", [width], weight),
                    bias: instance.parameter("bias", [width], bias), epsilon: epsilon, output: output))
            instance.magnitudes["output"] = magnitudes(x, weight: weight, bias: bias, epsilon: epsilon)
            return instance
        }
    }

    /// Linear layers with a norm of their output behind them, which the vector path computes along where rows are many: widths
    /// of one panel, of whole pairs of panels and of others, rows that end within a tile, and too few rows.
    static let normalisedLinear: [ParityCase] = [
        LinearShape(rows: 5, outputs: 40, inputs: 16, hasBias: true),
        LinearShape(rows: 200, outputs: 1, inputs: 3, hasBias: true),
        LinearShape(rows: 199, outputs: 33, inputs: 16, hasBias: true, activation: .gelu),
        LinearShape(batch: 3, rows: 67, outputs: 64, inputs: 33, hasBias: true, hasResidual: true),
        LinearShape(batch: 2, rows: 131, outputs: 150, inputs: 257, hasResidual: true),
        LinearShape(rows: 256, outputs: 512, inputs: 300, hasResidual: true),
    ].map { shape in
        let product = ProductShape(
            rows: shape.rows, outputs: shape.outputs, inputs: shape.inputs, precision: shape.precision)
        return ParityCase(
            Linear.name, "\(shape.description) then layer_norm", tolerance: 16 + product.tolerance
        ) { seeded in
            var values = seeded
            var layer = linear(shape)
            layer.kind = values.kind
            var instance = try layer.make(values.seed)
            let h = try instance.plan.tensor(named: "output")
            let x = try instance.run(on: ReferenceBackend()).outputs["output"]?.floats() ?? []
            let (weight, bias) = (values.normal(shape.outputs), values.normal(shape.outputs))
            let epsilon: Float = 1e-5
            try instance.plan.append(
                LayerNorm(
                    input: h, weight: instance.parameter("norm.weight", [shape.outputs], weight),
                    bias: instance.parameter("norm.bias", [shape.outputs], bias), epsilon: epsilon,
                    output: instance.output("normalised", h.shape)))
            instance.magnitudes["normalised"] = magnitudes(
                x, weight: weight, bias: bias, epsilon: epsilon, ofInput: instance.magnitudes["output"])
            return instance
        }
    }

    /// |weight| · (max|x| + |μ|) / σ + |bias| for every element. An x that is computed itself has an error of its own, by which an
    /// element moves, its mean, and the deviation by as much at most: four times its row's largest.
    private static func magnitudes(
        _ x: [Float], weight: [Float], bias: [Float], epsilon: Float, ofInput inputs: [Double]? = nil
    ) -> [Double] {
        let width = weight.count
        return stride(from: 0, to: x.count, by: width).flatMap { start in
            let row = x[start..<start + width].map(Double.init)
            let mean = row.reduce(0, +) / Double(width)
            let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
            // The mean's own rounding counts where a row is nearly constant.
            let largest = row.map { abs($0) }.max() ?? 0
            let error = 4 * (inputs?[start..<start + width].max() ?? 0)
            let scale = (largest + abs(mean) + error) / (variance + Double(epsilon)).squareRoot()
            return (0..<width).map { abs(Double(weight[$0])) * scale + abs(Double(bias[$0])) }
        }
    }
}
