import ComputeCore

extension StridedConvolution: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (features, channels) = (weight.shape[0], weight.shape[1])
        let (x, weight, bias) = try (memory.floats(input), memory.floats(weight), memory.floats(bias))
        let windows = output.shape[0] * output.shape[1]
        var y = [Float](repeating: 0, count: windows * features)
        for window in 0..<windows {
            for feature in 0..<features {
                var sum = Double(bias[feature])
                for k in 0..<stride {
                    for channel in 0..<channels {
                        sum +=
                            Double(x[(window * stride + k) * channels + channel])
                            * Double(weight[(feature * channels + channel) * stride + k])
                    }
                }
                y[window * features + feature] = Float(activation(sum))
            }
        }
        try memory.store(y, in: output)
    }
}
