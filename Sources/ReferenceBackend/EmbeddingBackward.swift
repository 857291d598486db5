import ComputeCore

extension EmbeddingBackward: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (rows, width) = (tableGradient.shape[0], tableGradient.shape[1])
        let dy = try memory.floats(outputGradient)
        var sums = [Double](repeating: 0, count: rows * width)
        for (index, token) in try memory.integers(forward.tokens).enumerated() where 0 <= token && token < rows {
            for column in 0..<width { sums[Int(token) * width + column] += Double(dy[index * width + column]) }
        }
        try memory.add(sums, to: tableGradient)
    }
}
