import ComputeCore
import Foundation

extension Attention: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (batch, length, features) = (output.shape[0], output.shape[1], output.shape[2])
        let qkv = try memory.floats(projections)
        var y = [Float](repeating: 0, count: batch * length * features)
        var logSums = [Float](repeating: 0, count: batch * headCount * length)
        for sample in 0..<batch {
            for head in 0..<headCount {
                let rows = (0..<length).map { HeadRow(self, qkv, sample: sample, position: $0, head: head) }
                for (position, query) in rows.enumerated() {
                    let scores = rows.map { dot(query.query, $0.key) / Double(headWidth).squareRoot() }
                    // Scores of nothing but -inf have the logarithm -inf, and no weights.
                    let largest = scores.max().flatMap { $0 == -.infinity ? nil : $0 } ?? 0
                    let weights = scores.map { exp($0 - largest) }
                    let sum = weights.reduce(0, +)
                    for feature in 0..<headWidth {
                        let value = zip(weights, rows).reduce(0) { $0 + $1.0 * $1.1.value[feature] }
                        y[(sample * length + position) * features + head * headWidth + feature] = Float(value / sum)
                    }
                    logSums[(sample * headCount + head) * length + position] = Float(largest + log(sum))
                }
            }
        }
        try memory.store(y, in: output)
        if let logSumExp { try memory.store(logSums, in: logSumExp) }
    }
}

/// One head's rotated query, rotated key and value at one position.
struct HeadRow {
    let query: [Double]
    let key: [Double]
    let value: [Double]

    init(_ attention: Attention, _ qkv: [Float], sample: Int, position: Int, head: Int) {
        let (length, features) = (attention.output.shape[1], attention.output.shape[2])
        let width = attention.headWidth
        let start = (sample * length + position) * 3 * features + head * width
        func part(_ index: Int) -> [Double] {
            qkv[start + index * features..<start + index * features + width].map(Double.init)
        }
        let base = Double(attention.rotaryBase)
        query = rotated(part(0), position: position, base: base).map(attention.precision.round)
        key = rotated(part(1), position: position, base: base).map(attention.precision.round)
        value = part(2).map(attention.precision.round)
    }
}

/// Turns the pairs (x_i, x_{i + d/2}) by position · base^(−2i/d).
func rotated(_ x: [Double], position: Int, base: Double) -> [Double] {
    let half = x.count / 2
    var y = x
    for i in 0..<half {
        let angle = Double(position) * pow(base, -2 * Double(i) / Double(x.count))
        y[i] = x[i] * cos(angle) - x[i + half] * sin(angle)
        y[i + half] = x[i + half] * cos(angle) + x[i] * sin(angle)
    }
    return y
}

func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for i in a.indices { sum += a[i] * b[i] }
    return sum
}
