import ComputeCore

extension StridedConvolutionBackward: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (features, channels, stride) = (forward.weight.shape[0], forward.weight.shape[1], forward.stride)
        let (x, weight) = try (memory.floats(forward.input), memory.floats(forward.weight))
        let dy = try memory.floats(outputGradient)
        var dx = [Double](repeating: 0, count: x.count)
        var weightSums = [Double](repeating: 0, count: weight.count)
        var biasSums = [Double](repeating: 0, count: features)
        for window in 0..<dy.count / features {
            for feature in 0..<features {
                let slope = Double(dy[window * features + feature])
                biasSums[feature] += slope
                for k in 0..<stride {
                    for channel in 0..<channels {
                        let source = (window * stride + k) * channels + channel
                        let tap = (feature * channels + channel) * stride + k
                        dx[source] += slope * Double(weight[tap])
                        weightSums[tap] += slope * Double(x[source])
                    }
                }
            }
        }
        try memory.store(dx, in: inputGradient.matrix, accumulates: false)
        try memory.add(weightSums, to: weightGradient)
        try memory.add(biasSums, to: biasGradient)
    }
}
