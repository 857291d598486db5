import ComputeCore

extension CopyRows: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let source = try memory.floats(source)
        guard accumulates else { return try memory.store(source, in: target) }
        try memory.store(source.map(Double.init), in: target, accumulates: true)
    }
}
