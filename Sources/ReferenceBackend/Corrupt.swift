import ComputeCore

extension Corrupt: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (batch, length) = (clean.shape[0], clean.shape[1])
        let thresholds = try memory.integers(thresholds)
        let parameters = try StepParameters(words: memory.integers(step))
        var tokens = try memory.integers(clean)
        for sample in 0..<batch {
            let low = UInt64(UInt32(bitPattern: thresholds[2 * sample]))
            let threshold = low | UInt64(UInt32(bitPattern: thresholds[2 * sample + 1])) << 32
            for position in 0..<length {
                let draw = Philox.draw(
                    seed: parameters.seed, purpose: .corrupt, position: UInt32(position),
                    step: UInt32(bitPattern: parameters.step),
                    sample: UInt32(bitPattern: parameters.firstSample) &+ UInt32(sample))
                if UInt64(draw) < threshold { tokens[sample * length + position] = maskToken }
            }
        }
        memory.store(tokens, in: noisy)
    }
}
