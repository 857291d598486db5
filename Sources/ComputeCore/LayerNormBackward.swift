/// The gradients of ``LayerNorm``. With n = (x − μ) / √(σ² + ε), g = dy · weight and means over the D features of a row,
///
/// dx (+)= (g − mean(g) − n · mean(g · n)) / √(σ² + ε), dweight += Σ_rows dy · n, dbias += Σ_rows dy.
///
/// The statistics are computed again from x. A row with a NaN or an infinity makes its dx, dweight and dbias NaN.
public struct LayerNormBackward: Operation {
    public static let name = "layer_norm_backward"

    /// The normalisation; its input and weight are read.
    public let forward: LayerNorm
    /// dy [B, S, D].
    public let outputGradient: Tensor
    /// dx [B, S, D].
    public let inputGradient: Tensor
    /// Whether dx is added to, as the residual stream wants.
    public let accumulates: Bool
    /// dweight [D], added to.
    public let weightGradient: Tensor
    /// dbias [D], added to.
    public let biasGradient: Tensor

    /// Describes the gradients of a normalisation.
    public init(
        forward: LayerNorm, outputGradient: Tensor, inputGradient: Tensor, accumulates: Bool, weightGradient: Tensor,
        biasGradient: Tensor
    ) {
        self.forward = forward
        self.outputGradient = outputGradient
        self.inputGradient = inputGradient
        self.accumulates = accumulates
        self.weightGradient = weightGradient
        self.biasGradient = biasGradient
    }

    public var operands: [Operand] {
        [
            Operand("input", forward.input, .read), Operand("weight", forward.weight, .read),
            Operand("outputGradient", outputGradient, .read),
            Operand("inputGradient", inputGradient, accumulates ? .update : .write),
            Operand("weightGradient", weightGradient, .update), Operand("biasGradient", biasGradient, .update),
        ]
    }

    public var work: Work { Work(flops: 20 * forward.input.shape.elementCount, bytes: traffic()) }

    public func validate() throws(ValidationError) {
        try forward.validate()
        try validator.require(outputGradient, "outputGradient", is: forward.input.shape)
        try validator.require(inputGradient, "inputGradient", is: forward.input.shape)
        try validator.require(weightGradient, "weightGradient", is: forward.weight.shape)
        try validator.require(biasGradient, "biasGradient", is: forward.bias.shape)
    }
}

extension LayerNorm: Differentiable, Recomputable {
    public func repeated(into output: Tensor) -> LayerNorm {
        LayerNorm(input: input, weight: weight, bias: bias, epsilon: epsilon, output: output)
    }

    public func recordBackward(into tape: inout GradientTape) throws(ValidationError) {
        guard let dy = try tape.gradient(of: output) else { return }
        let (dx, accumulates) = try tape.sum(for: input.matrix)
        try tape.append(
            LayerNormBackward(
                forward: self, outputGradient: dy, inputGradient: dx.tensor, accumulates: accumulates,
                weightGradient: tape.parameterGradient(of: weight), biasGradient: tape.parameterGradient(of: bias)))
    }
}
