import ComputeCore

extension ActivationBackward: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let slopes = try memory.floats(saved).map { activation.slope(Double($0)) }
        try memory.store(zip(memory.floats(gradient), slopes).map { Float(Double($0) * $1) }, in: gradient)
    }
}
