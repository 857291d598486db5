import ComputeCore

extension ParityCase {
    /// What enters is good to a few units of the row's magnitude over its deviation, and enters twice: 8 units of the sums
    /// of the absolute terms, and 1/64 more per row that is added.
    static let layerNormBackward: [ParityCase] = [
        (1, 1, 1), (1, 3, 16), (2, 5, 17), (3, 31, 40), (1, 64, 255), (2, 33, 256), (1, 130, 512), (1, 2100, 24),
    ].flatMap { batch, length, width in
        [false, true].map { layerNormBackward(batch: batch, length: length, width: width, accumulates: $0) }
    }

    static func layerNormBackward(batch: Int, length: Int, width: Int, accumulates: Bool) -> ParityCase {
        let sizes = "B=\(batch) S=\(length) D=\(width)" + (accumulates ? " add" : "")
        return ParityCase("layer_norm_backward", sizes, tolerance: 8 + Double(batch * length) / 64) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let shape: Shape = [batch, length, width]
            let x = values.normal(shape.elementCount).map { $0 + 0.5 }
            let (weight, dy) = (values.normal(width), values.normal(shape.elementCount))
            let (before, weightSum, biasSum) = (values.normal(x.count), values.normal(width), values.normal(width))
            let epsilon: Float = 1e-5
            try instance.plan.append(
                LayerNormBackward(
                    forward: LayerNorm(
                        input: instance.input("input", shape, x), weight: instance.parameter("weight", [width], weight),
                        bias: instance.parameter("bias", [width], weight), epsilon: epsilon,
                        output: instance.plan.intermediate(shape)),
                    outputGradient: instance.input("outputGradient", shape, dy),
                    inputGradient: instance.gradient("inputGradient", shape, adding: accumulates ? before : nil),
                    accumulates: accumulates, weightGradient: instance.sum("weightGradient", [width], weightSum),
                    biasGradient: instance.sum("biasGradient", [width], biasSum)))

            var dx = accumulates ? before.map { abs(Double($0)) } : [Double](repeating: 0, count: x.count)
            var (weights, biases) = (weightSum.map { abs(Double($0)) }, biasSum.map { abs(Double($0)) })
            for start in stride(from: 0, to: x.count, by: width) {
                let row = x[start..<start + width].map(Double.init)
                let mean = row.reduce(0, +) / Double(width)
                let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
                let scale = 1 / (variance + Double(epsilon)).squareRoot()
                // What rounding of the row and of its mean amounts to after the division.
                let normal = ((row.map { abs($0) }.max() ?? 0) + abs(mean)) * scale
                let slopes = (0..<width).map { abs(Double(dy[start + $0]) * Double(weight[$0])) }
                let meanSlope = slopes.reduce(0, +) / Double(width)
                for column in 0..<width {
                    dx[start + column] += scale * (slopes[column] + meanSlope + normal * normal * meanSlope)
                    weights[column] += abs(Double(dy[start + column])) * normal
                    biases[column] += abs(Double(dy[start + column]))
                }
            }
            instance.magnitudes = ["inputGradient": dx, "weightGradient": weights, "biasGradient": biases]
            return instance
        }
    }
}
