import ComputeCore

extension LinearBackward: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (rows, outputs, inputs) = (forward.input.rows, forward.weight.shape[0], forward.weight.shape[1])
        let precision = forward.precision
        let x = try precision.round(memory.floats(forward.input))
        let weight = try precision.round(memory.floats(forward.weight))
        let dy = try memory.floats(outputGradient)
        let slopes = precision.round(dy)
        var dx = [Double](repeating: 0, count: rows * inputs)
        var weightSums = [Double](repeating: 0, count: outputs * inputs)
        var biasSums = [Double](repeating: 0, count: outputs)
        for row in 0..<rows {
            for column in 0..<outputs {
                biasSums[column] += Double(dy[row * outputs + column])
                let slope = Double(slopes[row * outputs + column])
                for k in 0..<inputs {
                    dx[row * inputs + k] += slope * Double(weight[column * inputs + k])
                    weightSums[column * inputs + k] += slope * Double(x[row * inputs + k])
                }
            }
        }
        try memory.store(dx, in: inputGradient, accumulates: accumulates)
        try memory.add(weightSums, to: weightGradient)
        if let biasGradient { try memory.add(biasSums, to: biasGradient) }
    }
}
