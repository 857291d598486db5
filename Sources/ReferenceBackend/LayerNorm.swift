import ComputeCore

extension LayerNorm: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let width = input.shape[-1]
        let (x, weight, bias) = try (memory.floats(input), memory.floats(weight), memory.floats(bias))
        var y = x
        for row in 0..<x.count / width {
            let start = row * width
            let values = (0..<width).map { Double(x[start + $0]) }
            let mean = values.reduce(0, +) / Double(width)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
            let scale = 1 / (variance + Double(epsilon)).squareRoot()
            for column in 0..<width {
                y[start + column] = Float(
                    (values[column] - mean) * scale * Double(weight[column]) + Double(bias[column]))
            }
        }
        try memory.store(y, in: output)
    }
}
