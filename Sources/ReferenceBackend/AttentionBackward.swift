import ComputeCore
import Foundation

/// The softmax is differentiated as it stands, neither with the saved output nor with the saved log-sum-exp.
extension AttentionBackward: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (batch, length) = (forward.output.shape[0], forward.output.shape[1])
        let qkv = try memory.floats(forward.projections)
        let dy = try memory.floats(outputGradient)
        var gradient = [Double](repeating: 0, count: qkv.count)
        for sample in 0..<batch {
            for head in 0..<forward.headCount {
                let rows = (0..<length).map { HeadRow(forward, qkv, sample: sample, position: $0, head: head) }
                addGradients(of: rows, dy, sample: sample, head: head, to: &gradient)
            }
        }
        try memory.store(gradient, in: projectionsGradient.matrix, accumulates: false)
    }

    private func addGradients(
        of rows: [HeadRow], _ dy: [Float], sample: Int, head: Int, to gradient: inout [Double]
    ) {
        let (length, features, width) = (forward.output.shape[1], forward.output.shape[2], forward.headWidth)
        let scale = 1 / Double(width).squareRoot()
        let none = [[Double]](repeating: [Double](repeating: 0, count: width), count: length)
        var (queries, keys, values) = (none, none, none)
        for (position, row) in rows.enumerated() {
            let start = (sample * length + position) * features + head * width
            let slope = dy[start..<start + width].map(Double.init)
            let scores = rows.map { dot(row.query, $0.key) * scale }
            let largest = scores.max() ?? 0
            let weights = scores.map { exp($0 - largest) }
            let sum = weights.reduce(0, +)
            let probabilities = weights.map { $0 / sum }
            let products = rows.map { dot(slope, $0.value) }
            let mean = dot(probabilities, products)
            for other in 0..<length {
                let scoreSlope = probabilities[other] * (products[other] - mean) * scale
                for i in 0..<width {
                    values[other][i] += probabilities[other] * slope[i]
                    queries[position][i] += scoreSlope * rows[other].key[i]
                    keys[other][i] += scoreSlope * row.query[i]
                }
            }
        }
        for position in 0..<length {
            let start = (sample * length + position) * 3 * features + head * width
            let base = Double(forward.rotaryBase)
            let parts = [
                // Turning by the negative angle is the transpose of turning.
                rotated(queries[position], position: -position, base: base),
                rotated(keys[position], position: -position, base: base), values[position],
            ]
            for (part, row) in parts.enumerated() {
                for i in 0..<width { gradient[start + part * features + i] = row[i] }
            }
        }
    }
}
