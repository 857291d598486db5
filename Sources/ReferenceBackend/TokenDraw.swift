import ComputeCore
import Foundation

extension TokenDraw: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (batch, length, ids) = (logits.shape[0], logits.shape[1], logits.shape[2])
        let (logits, allowed) = try (memory.floats(logits), memory.integers(allowed))
        let parameters = try StepParameters(words: memory.integers(step))
        var candidates = try memory.integers(tokens)
        var confidence = [Float](repeating: 1, count: batch * length)
        var nearTies = try memory.integers(self.nearTies)
        for sample in 0..<batch {
            for position in 0..<length where candidates[sample * length + position] == maskToken {
                let index = sample * length + position
                let row = (0..<ids).map { allowed[$0] != 0 ? Double(logits[index * ids + $0]) : -.infinity }
                let draw = parameters.draw(.token, position: position, sample: sample)
                let choice = Categorical(logits: row, temperature: Double(temperature), topP: Double(topP))
                    .draw(Double(Philox.unit(draw)))
                candidates[index] = choice.map { Int32($0.id) } ?? maskToken
                confidence[index] = choice.map { Float($0.probability) } ?? 0
                nearTies[index] = choice?.isNearTie == true ? 1 : 0
            }
        }
        memory.store(candidates, in: self.candidates)
        try memory.store(confidence, in: self.confidence)
        memory.store(nearTies, in: self.nearTies)
    }
}

/// A categorical distribution after temperature and top-p; at temperature 0, where the greatest logit is taken, that of
/// temperature 1.
struct Categorical {
    /// Of each id; empty where no id has a probability.
    private(set) var probabilities: [Double] = []
    /// The lowest id of the greatest logit, if that is taken whatever the draw.
    private var best: Int?
    /// Whether another device may draw the bound of the top-p set elsewhere.
    private(set) var isNearCut = false

    init(logits: [Double], temperature: Double, topP: Double) {
        guard let largest = logits.max(), largest.isFinite, !logits.contains(where: \.isNaN) else { return }
        if temperature == 0 { best = logits.firstIndex(of: largest) }
        let weights = logits.map { exp(($0 - largest) / (temperature == 0 ? 1 : temperature)) }
        let sum = weights.reduce(0, +)
        probabilities = weights.map { $0 / sum }
        if best == nil && topP < 1 { restrict(to: topP) }
    }

    private mutating func restrict(to topP: Double) {
        let order = probabilities.indices.sorted { (probabilities[$1], $0) < (probabilities[$0], $1) }
        var mass = 0.0
        var kept = 0
        while kept < order.count && mass < topP {
            mass += probabilities[order[kept]]
            kept += 1
            isNearCut = isNearCut || abs(mass - topP) < Double(TokenDraw.nearTie)
        }
        for id in order[kept...] { probabilities[id] = 0 }
        probabilities = probabilities.map { $0 / mass }
    }

    func draw(_ u: Double) -> (id: Int, probability: Double, isNearTie: Bool)? {
        if let best {
            let others = probabilities.indices.filter { $0 != best }.map { probabilities[$0] / probabilities[best] }
            return (best, probabilities[best], others.contains { 1 - $0 < Double(TokenDraw.nearTie) })
        }
        var cumulative = 0.0
        var isNear = isNearCut
        var chosen: Int?
        for (id, probability) in probabilities.enumerated() where probability > 0 {
            cumulative += probability
            isNear = isNear || (abs(cumulative - u) < Double(TokenDraw.nearTie) && cumulative < 1 - 1e-9)
            if chosen == nil && cumulative > u { chosen = id }
        }
        // Rounding may leave the sum below a u close to 1.
        guard let id = chosen ?? probabilities.lastIndex(where: { $0 > 0 }) else { return nil }
        return (id, probabilities[id], isNear)
    }
}
