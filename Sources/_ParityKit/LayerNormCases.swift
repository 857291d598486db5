import ComputeCore

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
            instance.magnitudes["output"] = stride(from: 0, to: x.count, by: width).flatMap { start in
                let row = x[start..<start + width].map(Double.init)
                let mean = row.reduce(0, +) / Double(width)
                let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
                // The mean's own rounding counts where a row is nearly constant.
                let largest = row.map { abs($0) }.max() ?? 0
                let scale = (largest + abs(mean)) / (variance + Double(epsilon)).squareRoot()
                return (0..<width).map { abs(Double(weight[$0])) * scale + abs(Double(bias[$0])) }
            }
            return instance
        }
    }
}
