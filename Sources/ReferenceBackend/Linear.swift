import ComputeCore

extension Linear: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let x = try precision.round(memory.floats(input))
        let weight = try precision.round(memory.floats(weight))
        let bias = try bias.map(memory.floats)
        let residual = try residual.map(memory.floats)
        var y = [Float](repeating: 0, count: input.rows * outputs)
        for row in 0..<input.rows {
            for column in 0..<outputs {
                var sum = bias.map { Double($0[column]) } ?? 0
                for k in 0..<inputs {
                    sum += Double(x[row * inputs + k]) * Double(weight[column * inputs + k])
                }
                let value = activation(sum) + (residual.map { Double($0[row * outputs + column]) } ?? 0)
                y[row * outputs + column] = Float(value)
            }
        }
        try memory.store(y, in: output)
    }
}
