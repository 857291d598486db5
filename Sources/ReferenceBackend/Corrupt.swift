import ComputeCore

extension Corrupt: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (batch, length) = (clean.shape[0], clean.shape[1])
        let thresholds = try memory.integers(thresholds)
        let parameters = try StepParameters(words: memory.integers(step))
        var tokens = try memory.integers(clean)
        for sample in 0..<batch {
            for position in 0..<length {
                let index = sample * length + position
                let threshold = UInt64(low: thresholds[2 * index], high: thresholds[2 * index + 1])
                let draw = parameters.draw(.corrupt, position: position, sample: sample)
                if UInt64(draw) < threshold { tokens[index] = maskToken }
            }
        }
        memory.store(tokens, in: noisy)
    }
}
