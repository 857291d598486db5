import ComputeCore
import Foundation

extension CrossEntropy: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (length, ids) = (logits.shape[1], logits.shape[2])
        let rows = try memory.floats(logits)
        let (targets, selector) = try (memory.integers(targets), memory.integers(selector))
        let weights = try memory.floats(weights)
        var losses = [Float](repeating: 0, count: targets.count)
        var gradient = [Float](repeating: 0, count: rows.count)
        for (index, target) in targets.enumerated() where selector[index] == selected {
            let row = (0..<ids).map { Double(rows[index * ids + $0]) }
            let isKnown = 0 <= target && target < ids
            let weight = isKnown ? Double(weights[index / length]) : .nan
            let largest = row.max() ?? .nan
            let powers = row.map { exp($0 - largest) }
            let sum = powers.reduce(0, +)
            losses[index] = Float(weight * (log(sum) + largest - (isKnown ? row[Int(target)] : .nan)))
            for id in 0..<ids {
                gradient[index * ids + id] = Float(weight * (powers[id] / sum - (id == target ? 1 : 0)))
            }
        }
        try memory.store(losses, in: self.losses)
        try memory.store(gradient, in: logits)
    }
}
