import ComputeCore

extension SumValues: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        try memory.store([Float(memory.floats(values).reduce(0) { $0 + Double($1) })], in: output)
    }
}
