import ComputeCore

extension Reveal: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (batch, padded) = (tokens.shape[0], tokens.shape[1])
        let candidates = try memory.integers(candidates)
        let parameters = try StepParameters(words: memory.integers(step))
        var tokens = try memory.integers(tokens)
        for sample in 0..<batch {
            let masked = (0..<length).filter { tokens[sample * padded + $0] == maskToken }
            for position in try chosen(from: masked, sample: sample, parameters: parameters, memory: memory) {
                tokens[sample * padded + position] = candidates[sample * padded + position]
            }
        }
        memory.store(tokens, in: self.tokens)
    }

    private func chosen(
        from masked: [Int], sample: Int, parameters: StepParameters, memory: ReferenceMemory
    ) throws -> [Int] {
        let row = sample * tokens.shape[1]
        switch rule {
        case .independent:
            return masked.filter { position in
                let draw = parameters.draw(.reveal, position: position, sample: sample)
                return UInt64(draw) < parameters.revealThreshold
            }
        case .scheduled(let steps):
            let steps = try memory.integers(steps)
            return masked.filter { steps[row + $0] == parameters.step }
        case .confidence(let confidence):
            let confidence = try memory.floats(confidence)
            let order = masked.sorted { (confidence[row + $1], $0) < (confidence[row + $0], $1) }
            return Array(order.prefix(Int(max(0, parameters.revealCount))))
        }
    }
}
