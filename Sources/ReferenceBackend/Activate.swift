import ComputeCore

extension Activate: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        try memory.store(memory.floats(input).map { Float(activation(Double($0))) }, in: output)
    }
}
