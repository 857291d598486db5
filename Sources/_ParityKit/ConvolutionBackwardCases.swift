import ComputeCore

extension ParityCase {
    private static let stridedSizes = [
        (1, 4, 1, 1, 4), (1, 16, 12, 16, 4), (2, 15, 20, 40, 3), (3, 44, 32, 64, 4), (1, 256, 64, 96, 4),
    ]

    /// Three products, as in ``linearBackward``: 8 + (the longest sum) / 16 units of the sums of absolute products.
    static let stridedConvolutionBackward: [ParityCase] = stridedSizes.map {
        stridedConvolutionBackward(batch: $0, length: $1, channels: $2, features: $3, stride: $4)
    }

    static func stridedConvolutionBackward(
        batch: Int, length: Int, channels: Int, features: Int, stride: Int
    ) -> ParityCase {
        let longest = max(batch * length / stride, features)
        let sizes = "B=\(batch) L=\(length) E=\(channels) D=\(features) stride=\(stride)"
        return ParityCase("strided_convolution_backward", sizes, tolerance: 8 + Double(longest) / 16) { seeded in
            let kernel: Shape = [features, channels, stride]
            let (input, output): (Shape, Shape) = ([batch, length, channels], [batch, length / stride, features])
            return try convolutionBackward(seeded, kernel, input, output, bias: features) { instance, parts in
                let layout = ParameterLayout.stridedConvolution
                return StridedConvolutionBackward(
                    forward: StridedConvolution(
                        input: try instance.input("input", input, parts.x),
                        weight: try instance.parameter("weight", kernel, parts.weight, as: layout),
                        bias: try instance.parameter("bias", [features], parts.bias), activation: .none,
                        output: instance.plan.intermediate(output)),
                    outputGradient: try instance.input("outputGradient", output, parts.dy),
                    inputGradient: instance.output("inputGradient", input),
                    weightGradient: try instance.sum("weightGradient", kernel, parts.weightSum, as: layout),
                    biasGradient: try instance.sum("biasGradient", [features], parts.bias))
            }
        }
    }

    /// Three products per tap, as in ``linearBackward``.
    static let transposedConvolutionBackward: [ParityCase] = stridedSizes.map {
        transposedConvolutionBackward(batch: $0, length: $1, channels: $2, features: $3, stride: $4)
    }

    static func transposedConvolutionBackward(
        batch: Int, length: Int, channels: Int, features: Int, stride: Int
    ) -> ParityCase {
        let longest = max(batch * length, channels * stride)
        let sizes = "B=\(batch) L=\(length) E=\(channels) D=\(features) stride=\(stride)"
        return ParityCase("transposed_convolution_backward", sizes, tolerance: 8 + Double(longest) / 16) { seeded in
            let kernel: Shape = [features, channels, stride]
            let (input, output): (Shape, Shape) = ([batch, length / stride, features], [batch, length, channels])
            return try convolutionBackward(seeded, kernel, input, output, bias: channels) { instance, parts in
                let layout = ParameterLayout.transposedConvolution
                return TransposedConvolutionBackward(
                    forward: TransposedConvolution(
                        input: try instance.input("input", input, parts.x),
                        weight: try instance.parameter("weight", kernel, parts.weight, as: layout),
                        bias: try instance.parameter("bias", [channels], parts.bias), activation: .none,
                        output: instance.plan.intermediate(output)),
                    outputGradient: try instance.input("outputGradient", output, parts.dy),
                    inputGradient: instance.output("inputGradient", input),
                    weightGradient: try instance.sum("weightGradient", kernel, parts.weightSum, as: layout),
                    biasGradient: try instance.sum("biasGradient", [channels], parts.bias))
            }
        }
    }

    private struct Parts {
        var x: [Float]
        var dy: [Float]
        var weight: [Float]
        var weightSum: [Float]
        var bias: [Float]
    }

    private static func convolutionBackward(
        _ seeded: SeededValues, _ kernel: Shape, _ input: Shape, _ output: Shape, bias: Int,
        _ operation: (inout ParityInstance, Parts) throws -> some Operation
    ) throws -> ParityInstance {
        var values = seeded
        let parts = Parts(
            x: values.normal(input.elementCount), dy: values.normal(output.elementCount),
            weight: values.normal(kernel.elementCount, spread: 0.1, outlier: 1),
            weightSum: values.normal(kernel.elementCount), bias: values.normal(bias))
        func instance(_ parts: Parts) throws -> ParityInstance {
            var instance = ParityInstance()
            let operation = try operation(&instance, parts)
            try instance.plan.append(operation)
            return instance
        }
        var result = try instance(parts)
        try result.takeMagnitudes(
            from: instance(
                Parts(
                    x: parts.x.magnitudes, dy: parts.dy.magnitudes, weight: parts.weight.magnitudes,
                    weightSum: parts.weightSum.magnitudes, bias: parts.bias.magnitudes)))
        return result
    }

    /// SiLU's slope errs with the sum that it is taken of, a few units of Σ|x·w| + |bias|, and is at most 1.1: 4 units,
    /// and for the kernel's and the bias's gradient 1/64 more per position that is added.
    static let causalConvolutionBackward: [ParityCase] = [
        (1, 1, 1, 4), (1, 3, 16, 4), (2, 17, 17, 3), (3, 40, 80, 4), (1, 131, 128, 1), (2, 64, 255, 5), (1, 512, 96, 4),
    ].map { causalConvolutionBackward(batch: $0, length: $1, channels: $2, width: $3) }

    static func causalConvolutionBackward(batch: Int, length: Int, channels: Int, width: Int) -> ParityCase {
        let sizes = "B=\(batch) S=\(length) I=\(channels) W=\(width)"
        return ParityCase(
            "causal_convolution_backward", sizes, tolerance: 4 + Double(batch * length) / 64
        ) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let shape: Shape = [batch, length, channels]
            let wide = 2 * channels
            let (x, dy) = (values.normal(batch * length * wide), values.normal(shape.elementCount))
            let (weight, bias) = (
                values.normal(channels * width, spread: 0.5, isFinite: true), values.normal(channels)
            )
            let before = values.normal(batch * length * wide)
            let (weightSum, biasSum) = (values.normal(weight.count), values.normal(channels))
            let inputGradient = try instance.gradient("inputGradient", [batch, length, wide], adding: before)
            try instance.plan.append(
                CausalConvolutionBackward(
                    forward: CausalConvolution(
                        input: instance.input("input", [batch, length, wide], x).columns(0..<channels),
                        weight: instance.parameter("weight", [channels, 1, width], weight),
                        bias: instance.parameter("bias", [channels], bias), output: instance.plan.intermediate(shape)),
                    outputGradient: instance.input("outputGradient", shape, dy),
                    inputGradient: inputGradient.columns(channels..<wide),
                    weightGradient: instance.sum("weightGradient", [channels, 1, width], weightSum),
                    biasGradient: instance.sum("biasGradient", [channels], biasSum)))

            // Half of the columns are overwritten, the others stay.
            var dx = before.enumerated().map { $0.offset % wide < channels ? abs(Double($0.element)) : 0 }
            var (weights, biases) = (weightSum.map { abs(Double($0)) }, biasSum.map { abs(Double($0)) })
            for index in 0..<shape.elementCount {
                let (row, channel) = (index / channels, index % channels)
                let taps = (0..<width).filter { row % length - width + 1 + $0 >= 0 }
                let sum = taps.reduce(abs(Double(bias[channel]))) { sum, tap in
                    sum
                        + abs(
                            Double(x[(row - width + 1 + tap) * wide + channel]) * Double(weight[channel * width + tap]))
                }
                let slope = abs(Double(dy[index])) * (1.1 + sum)
                biases[channel] += slope
                for tap in taps {
                    let source = row - width + 1 + tap
                    dx[source * wide + channels + channel] += slope * abs(Double(weight[channel * width + tap]))
                    weights[channel * width + tap] += slope * abs(Double(x[source * wide + channel]))
                }
            }
            instance.magnitudes = ["inputGradient": dx, "weightGradient": weights, "biasGradient": biases]
            return instance
        }
    }
}
