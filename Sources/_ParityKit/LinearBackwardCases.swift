import ComputeCore

extension ParityCase {
    /// Sums over N, M and M terms: 8 + (the longest sum) / 16 units of the sums of absolute products.
    static let linearBackward: [ParityCase] = [
        LinearShape(rows: 1, outputs: 1, inputs: 1),
        LinearShape(rows: 7, outputs: 31, inputs: 3, hasBias: true),
        LinearShape(batch: 2, rows: 8, outputs: 32, inputs: 64, hasResidual: true),
        LinearShape(batch: 3, rows: 13, outputs: 40, inputs: 29, hasBias: true),
        LinearShape(rows: 65, outputs: 33, inputs: 31, hasBias: true, inputMargin: 5, outputMargin: 3),
        LinearShape(rows: 127, outputs: 64, inputs: 96, hasResidual: true, inputMargin: 16),
        LinearShape(batch: 2, rows: 256, outputs: 256, inputs: 128, hasBias: true),
        LinearShape(rows: 513, outputs: 48, inputs: 257, hasBias: true),
        LinearShape(rows: 1, outputs: 1, inputs: 1, precision: .bfloat16),
        LinearShape(batch: 3, rows: 13, outputs: 40, inputs: 29, hasBias: true, precision: .bfloat16),
        LinearShape(
            rows: 65, outputs: 33, inputs: 31, hasBias: true, inputMargin: 5, outputMargin: 3, precision: .bfloat16),
        LinearShape(rows: 33, outputs: 64, inputs: 70, hasResidual: true, precision: .bfloat16),
        LinearShape(rows: 64, outputs: 48, inputs: 16, hasBias: true, inputMargin: 16, precision: .bfloat16),
        LinearShape(
            batch: 2, rows: 48, outputs: 96, inputs: 41, hasBias: true, hasResidual: true, outputMargin: 3,
            precision: .bfloat16),
        LinearShape(batch: 5, rows: 320, outputs: 160, inputs: 128, hasBias: true, precision: .bfloat16),
    ].map { linearBackward($0) }

    /// A residual stands for an input gradient that is added to.
    static func linearBackward(_ shape: LinearShape) -> ParityCase {
        let longest = max(shape.batch * shape.rows, shape.outputs)
        return ParityCase(
            "linear_backward", shape.description, precision: shape.precision, tolerance: 8 + Double(longest) / 16
        ) { seeded in
            var values = seeded
            let (n, k, rows) = (shape.outputs, shape.inputs, shape.batch * shape.rows)
            let (wideIn, wideOut) = (k + 2 * shape.inputMargin, n + 2 * shape.outputMargin)
            let x = values.normal(rows * wideIn)
            let dy = values.normal(rows * wideOut)
            let weight = values.normal(n * k, spread: 1 / Double(k).squareRoot(), outlier: 1)
            let (before, weightSum, biasSum) = (values.normal(rows * wideIn), values.normal(n * k), values.normal(n))
            func instance(_ value: ([Float]) -> [Float]) throws -> ParityInstance {
                var instance = ParityInstance()
                let input = try instance.input("input", [shape.batch, shape.rows, wideIn], value(x))
                let slope = try instance.input("outputGradient", [shape.batch, shape.rows, wideOut], value(dy))
                let isPartial = shape.hasResidual || shape.inputMargin > 0
                let inputGradient = try instance.gradient(
                    "inputGradient", [shape.batch, shape.rows, wideIn], adding: isPartial ? value(before) : nil)
                let columns = shape.inputMargin..<shape.inputMargin + k
                let outputs = shape.outputMargin..<shape.outputMargin + n
                let bias = shape.hasBias ? try instance.parameter("bias", [n], biasSum) : nil
                try instance.plan.append(
                    LinearBackward(
                        forward: Linear(
                            input: input.columns(columns),
                            weight: instance.parameter("weight", [n, k], value(weight), as: .matrix), bias: bias,
                            precision: shape.precision, output: instance.plan.intermediate([rows, n]).matrix),
                        outputGradient: slope.columns(outputs), inputGradient: inputGradient.columns(columns),
                        accumulates: shape.hasResidual,
                        weightGradient: instance.sum("weightGradient", [n, k], value(weightSum), as: .matrix),
                        biasGradient: shape.hasBias ? instance.sum("biasGradient", [n], value(biasSum)) : nil))
                return instance
            }
            var result = try instance { $0 }
            try result.takeMagnitudes(from: instance(\.magnitudes))
            return result
        }
    }
}
