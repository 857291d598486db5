import ComputeCore

extension CellDraw: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let cells = logits.shape[1] * logits.shape[2]
        let logits = try memory.floats(logits)
        let parameters = try StepParameters(words: memory.integers(step))
        var nearTies = try memory.integers(self.nearTies)
        var estimate = [Float](repeating: 0, count: logits.count)
        for (index, logit) in logits.enumerated() {
            let draw = parameters.draw(.roll, position: index % cells, sample: index / cells)
            let unit = temperature > 0 ? Philox.unit(draw) : 0.5
            let probability = Scalar.sigmoid(Double(logit) / (temperature > 0 ? Double(temperature) : 1))
            // A threshold takes what lies on it; a draw of 0 must not turn on a cell that is certainly off.
            let isOn = temperature > 0 ? Double(unit) < probability : probability >= 0.5
            estimate[index] = probability.isNaN ? .nan : isOn ? 1 : 0
            if abs(probability - Double(unit)) < Double(TokenDraw.nearTie) { nearTies[index] = 1 }
        }
        try memory.store(estimate, in: self.estimate)
        memory.store(nearTies, in: self.nearTies)
    }
}
