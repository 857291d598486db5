import ComputeCore

extension Embedding: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (rows, width) = (table.shape[0], table.shape[1])
        let table = try memory.floats(table)
        var y: [Float] = []
        for token in try memory.integers(tokens) {
            for column in 0..<width {
                y.append(0 <= token && token < rows ? table[Int(token) * width + column] : .nan)
            }
        }
        try memory.store(y, in: output)
    }
}
