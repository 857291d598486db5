/// Layer normalisation over the last axis: y = (x − μ) / √(σ² + ε) · weight + bias, σ² the population variance.
///
/// D features; every other axis is a row. Source: Ba, Kiros, Hinton, arXiv 1607.06450. A row with a NaN or an
/// infinity becomes NaN.
public struct LayerNorm: Operation {
    public static let name = "layer_norm"

    /// x [B, S, D].
    public let input: Tensor
    /// Scale [D].
    public let weight: Tensor
    /// Shift [D].
    public let bias: Tensor
    /// ε, positive.
    public let epsilon: Float
    /// y [B, S, D].
    public let output: Tensor

    /// Describes a normalisation.
    public init(input: Tensor, weight: Tensor, bias: Tensor, epsilon: Float, output: Tensor) {
        self.input = input
        self.weight = weight
        self.bias = bias
        self.epsilon = epsilon
        self.output = output
    }

    public var operands: [Operand] {
        [
            Operand("input", input, .read), Operand("weight", weight, .read), Operand("bias", bias, .read),
            Operand("output", output, .write),
        ]
    }

    public var work: Work { Work(flops: 8 * input.shape.elementCount, bytes: traffic()) }

    public func validate() throws(ValidationError) {
        try validator.require(input, "input", rank: 3)
        try validator.require(weight, "weight", is: [input.shape[-1]])
        try validator.require(bias, "bias", is: [input.shape[-1]])
        try validator.require(output, "output", is: input.shape)
        try validator.require(epsilon > 0 && epsilon.isFinite, "epsilon", "a positive number", "\(epsilon)")
    }
}
