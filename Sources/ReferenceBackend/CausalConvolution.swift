import ComputeCore

extension CausalConvolution: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (batch, length, channels) = (output.shape[0], output.shape[1], output.shape[2])
        let (x, weight, bias) = try (memory.floats(input), memory.floats(weight), memory.floats(bias))
        var y = [Float](repeating: 0, count: batch * length * channels)
        for sample in 0..<batch {
            for position in 0..<length {
                for channel in 0..<channels {
                    var sum = Double(bias[channel])
                    for w in 0..<width where position - width + 1 + w >= 0 {
                        let row = sample * length + position - width + 1 + w
                        sum += Double(x[row * channels + channel]) * Double(weight[channel * width + w])
                    }
                    y[(sample * length + position) * channels + channel] = Float(Scalar.silu(sum))
                }
            }
        }
        try memory.store(y, in: output)
    }
}
