import ComputeCore

extension Corrupt: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (batch, length) = (clean.shape[0], clean.shape[1])
        let thresholds = try memory.integers(thresholds)
        let parameters = try StepParameters(words: memory.integers(step))
        var tokens = try memory.integers(clean)
        for sample in 0..<batch {
            let threshold = UInt64(low: thresholds[2 * sample], high: thresholds[2 * sample + 1])
            for position in 0..<length {
                let draw = parameters.draw(.corrupt, position: position, sample: sample)
                if UInt64(draw) < threshold { tokens[sample * length + position] = maskToken }
            }
        }
        memory.store(tokens, in: noisy)
    }
}
