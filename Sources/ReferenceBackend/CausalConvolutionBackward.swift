import ComputeCore

extension CausalConvolutionBackward: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (batch, length, channels) = (outputGradient.shape[0], outputGradient.shape[1], outputGradient.shape[2])
        let width = forward.width
        let (x, dy) = try (memory.floats(forward.input), memory.floats(outputGradient))
        let (weight, bias) = try (memory.floats(forward.weight), memory.floats(forward.bias))
        var dx = [Double](repeating: 0, count: x.count)
        var weightSums = [Double](repeating: 0, count: weight.count)
        var biasSums = [Double](repeating: 0, count: channels)
        for sample in 0..<batch {
            for position in 0..<length {
                for channel in 0..<channels {
                    let taps = (0..<width).filter { position - width + 1 + $0 >= 0 }
                    func source(_ tap: Int) -> Int {
                        (sample * length + position - width + 1 + tap) * channels + channel
                    }
                    let sum = taps.reduce(Double(bias[channel])) {
                        $0 + Double(x[source($1)]) * Double(weight[channel * width + $1])
                    }
                    let slope =
                        Double(dy[(sample * length + position) * channels + channel]) * Scalar.siluSlope(sum)
                    biasSums[channel] += slope
                    for tap in taps {
                        dx[source(tap)] += slope * Double(weight[channel * width + tap])
                        weightSums[channel * width + tap] += slope * Double(x[source(tap)])
                    }
                }
            }
        }
        try memory.store(dx, in: inputGradient, accumulates: false)
        try memory.add(weightSums, to: weightGradient)
        try memory.add(biasSums, to: biasGradient)
    }
}
