import ComputeCore

extension ParityCase {
    private static let stridedSizes = [
        (1, 4, 1, 1, 4), (1, 16, 12, 16, 4), (2, 15, 20, 40, 3), (3, 44, 32, 64, 4), (1, 256, 64, 256, 4),
    ]

    /// A linear layer over windows: 8 + K/16 units of Σ|x·w| + |bias|, K = stride · E.
    static let stridedConvolution: [ParityCase] = stridedSizes.map {
        stridedConvolution(batch: $0, length: $1, channels: $2, features: $3, stride: $4)
    }

    static func stridedConvolution(
        batch: Int, length: Int, channels: Int, features: Int, stride: Int
    ) -> ParityCase {
        ParityCase(
            "strided_convolution", "B=\(batch) L=\(length) E=\(channels) D=\(features) stride=\(stride)",
            tolerance: 8 + Double(stride * channels) / 16
        ) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let kernel: Shape = [features, channels, stride]
            let (x, bias) = (values.normal(batch * length * channels), values.normal(features))
            let weight = values.normal(
                kernel.elementCount, spread: 1 / Double(stride * channels).squareRoot(), outlier: 1)
            let output = instance.output("output", [batch, length / stride, features])
            try instance.plan.append(
                StridedConvolution(
                    input: instance.input("input", [batch, length, channels], x),
                    weight: instance.parameter("weight", kernel, weight, as: .stridedConvolution),
                    bias: instance.parameter("bias", [features], bias), activation: .relu, output: output))
            instance.magnitudes["output"] = (0..<batch * length / stride).flatMap { window in
                (0..<features).map { feature in
                    var sum = abs(Double(bias[feature]))
                    for k in 0..<stride {
                        for e in 0..<channels {
                            sum += abs(
                                Double(x[(window * stride + k) * channels + e])
                                    * Double(weight[(feature * channels + e) * stride + k]))
                        }
                    }
                    return sum
                }
            }
            return instance
        }
    }

    /// A linear layer per tap: 8 + K/16 units of Σ|x·w| + |bias|, K = D.
    static let transposedConvolution: [ParityCase] = stridedSizes.map {
        transposedConvolution(batch: $0, length: $1, channels: $2, features: $3, stride: $4)
    }

    static func transposedConvolution(
        batch: Int, length: Int, channels: Int, features: Int, stride: Int
    ) -> ParityCase {
        ParityCase(
            "transposed_convolution", "B=\(batch) L=\(length) E=\(channels) D=\(features) stride=\(stride)",
            tolerance: 8 + Double(features) / 16
        ) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let kernel: Shape = [features, channels, stride]
            let (x, bias) = (values.normal(batch * length / stride * features), values.normal(channels))
            let weight = values.normal(kernel.elementCount, spread: 1 / Double(features).squareRoot(), outlier: 1)
            let output = instance.output("output", [batch, length, channels])
            try instance.plan.append(
                TransposedConvolution(
                    input: instance.input("input", [batch, length / stride, features], x),
                    weight: instance.parameter("weight", kernel, weight, as: .transposedConvolution),
                    bias: instance.parameter("bias", [channels], bias), activation: .relu, output: output))
            instance.magnitudes["output"] = (0..<batch * length).flatMap { row in
                (0..<channels).map { e in
                    (0..<features).reduce(abs(Double(bias[e]))) { sum, d in
                        sum
                            + abs(
                                Double(x[row / stride * features + d])
                                    * Double(weight[(d * channels + e) * stride + row % stride]))
                    }
                }
            }
            return instance
        }
    }

    /// W products, a sigmoid of a few units, SiLU's slope of at most 1.1: 12 units of Σ|x·w| + |bias|.
    static let causalConvolution: [ParityCase] = [
        (1, 1, 1, 4), (1, 3, 16, 4), (2, 17, 17, 3), (3, 40, 80, 4), (1, 131, 128, 1), (2, 64, 255, 5),
        (1, 512, 512, 4),
    ].map { causalConvolution(batch: $0, length: $1, channels: $2, width: $3) }

    static func causalConvolution(batch: Int, length: Int, channels: Int, width: Int) -> ParityCase {
        ParityCase("causal_convolution", "B=\(batch) S=\(length) I=\(channels) W=\(width)", tolerance: 12) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let shape: Shape = [batch, length, channels]
            let wide = 2 * channels
            let x = values.normal(batch * length * wide)
            // A weight also meets the zeros before the sequence, and ∞ · 0 is NaN.
            let (weight, bias) = (
                values.normal(channels * width, spread: 0.5, isFinite: true), values.normal(channels)
            )
            let input = try instance.input("input", [batch, length, wide], x)
            let output = instance.output("output", shape)
            try instance.plan.append(
                CausalConvolution(
                    input: input.columns(0..<channels),
                    weight: instance.parameter("weight", [channels, 1, width], weight),
                    bias: instance.parameter("bias", [channels], bias), output: output))
            instance.magnitudes["output"] = (0..<shape.elementCount).map { index in
                let (row, channel) = (index / channels, index % channels)
                return (0..<width).reduce(abs(Double(bias[channel]))) { sum, w in
                    let position = row % length - width + 1 + w
                    guard position >= 0 else { return sum }
                    let source = row / length * length + position
                    return sum + abs(Double(x[source * wide + channel]) * Double(weight[channel * width + w]))
                }
            }
            return instance
        }
    }
}
