import ComputeCore

extension LayerNormBackward: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let width = forward.input.shape[-1]
        let (x, weight) = try (memory.floats(forward.input), memory.floats(forward.weight))
        let dy = try memory.floats(outputGradient)
        var dx = [Double](repeating: 0, count: x.count)
        var weightSums = [Double](repeating: 0, count: width)
        var biasSums = weightSums
        for row in 0..<x.count / width {
            let start = row * width
            let values = (0..<width).map { Double(x[start + $0]) }
            let mean = values.reduce(0, +) / Double(width)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
            let scale = 1 / (variance + Double(forward.epsilon)).squareRoot()
            let normal = values.map { ($0 - mean) * scale }
            let slopes = (0..<width).map { Double(dy[start + $0]) * Double(weight[$0]) }
            let meanSlope = slopes.reduce(0, +) / Double(width)
            let meanProduct = zip(slopes, normal).reduce(0) { $0 + $1.0 * $1.1 } / Double(width)
            for column in 0..<width {
                dx[start + column] = scale * (slopes[column] - meanSlope - normal[column] * meanProduct)
                weightSums[column] += Double(dy[start + column]) * normal[column]
                biasSums[column] += Double(dy[start + column])
            }
        }
        try memory.store(dx, in: inputGradient.matrix, accumulates: accumulates)
        try memory.add(weightSums, to: weightGradient)
        try memory.add(biasSums, to: biasGradient)
    }
}
