import ComputeCore

extension GradientNorm: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        var sum = 0.0
        for gradient in gradients {
            for value in try memory.floats(gradient) { sum += Double(value) * Double(value) }
        }
        let norm = sum.squareRoot()
        try memory.store([Float(norm <= Double(maximum) ? 1 : Double(maximum) / norm), Float(norm)], in: output)
    }
}
