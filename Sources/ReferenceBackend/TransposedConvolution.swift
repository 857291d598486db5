import ComputeCore

extension TransposedConvolution: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (features, channels) = (weight.shape[0], weight.shape[1])
        let (x, weight, bias) = try (memory.floats(input), memory.floats(weight), memory.floats(bias))
        let windows = input.shape[0] * input.shape[1]
        var y = [Float](repeating: 0, count: windows * stride * channels)
        for window in 0..<windows {
            for k in 0..<stride {
                for channel in 0..<channels {
                    var sum = Double(bias[channel])
                    for feature in 0..<features {
                        sum +=
                            Double(x[window * features + feature])
                            * Double(weight[(feature * channels + channel) * stride + k])
                    }
                    y[(window * stride + k) * channels + channel] = Float(activation(sum))
                }
            }
        }
        try memory.store(y, in: output)
    }
}
