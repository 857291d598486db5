import ComputeCore
import Foundation

extension BinaryCrossEntropy: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (steps, width) = (logits.shape[1], logits.shape[2])
        let (cells, targets) = try (memory.floats(logits), memory.floats(targets))
        let (known, weights) = try (memory.floats(known), memory.floats(weights))
        var losses = [Double](repeating: 0, count: cells.count / width)
        var gradient = [Float](repeating: 0, count: cells.count)
        for (index, logit) in cells.enumerated() where known[index] <= 0.5 {
            let (z, y) = (Double(logit), Double(targets[index]))
            let weight = Double(weights[index / (steps * width)])
            // Where the target is 1, 1 − p = σ(−z) keeps its digits.
            let toward = y > 0.5 ? -z : z
            let error = Scalar.sigmoid(toward)
            let sign: Double = y > 0.5 ? -1 : 1
            switch loss {
            case .crossEntropy:
                losses[index / width] += weight * (max(toward, 0) + log1p(exp(-abs(z))))
                gradient[index] = Float(weight * sign * error)
            case .absolute:
                losses[index / width] += weight * error
                gradient[index] = Float(weight * sign * error * Scalar.sigmoid(-toward))
            }
        }
        try memory.store(losses.map(Float.init), in: self.losses)
        try memory.store(gradient, in: logits)
    }
}
