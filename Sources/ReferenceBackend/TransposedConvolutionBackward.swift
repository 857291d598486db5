import ComputeCore

extension TransposedConvolutionBackward: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (features, channels, stride) = (forward.weight.shape[0], forward.weight.shape[1], forward.stride)
        let (x, weight) = try (memory.floats(forward.input), memory.floats(forward.weight))
        let dy = try memory.floats(outputGradient)
        var dx = [Double](repeating: 0, count: x.count)
        var weightSums = [Double](repeating: 0, count: weight.count)
        var biasSums = [Double](repeating: 0, count: channels)
        for window in 0..<x.count / features {
            for k in 0..<stride {
                for channel in 0..<channels {
                    let slope = Double(dy[(window * stride + k) * channels + channel])
                    biasSums[channel] += slope
                    for feature in 0..<features {
                        let tap = (feature * channels + channel) * stride + k
                        dx[window * features + feature] += slope * Double(weight[tap])
                        weightSums[tap] += slope * Double(x[window * features + feature])
                    }
                }
            }
        }
        try memory.store(dx, in: inputGradient.matrix, accumulates: false)
        try memory.add(weightSums, to: weightGradient)
        try memory.add(biasSums, to: biasGradient)
    }
}
