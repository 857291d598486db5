/// The transpose of ``StridedConvolution``: each position becomes as many as the kernel is wide,
///
/// y[b, s·k₀ + k, e] = activation(Σ_d x[b, s, d] · weight[d, e, k] + bias[e]), k₀ the stride.
///
/// B samples, S input positions, L = S·k₀ output positions, D input and E output channels.
///
/// A NaN or an infinity in x reaches the positions that its own becomes, and no other.
public struct TransposedConvolution: Operation {
    public static let name = "transposed_convolution"

    /// x [B, S, D].
    public let input: Tensor
    /// Kernel [D, E, k₀].
    public let weight: Tensor
    /// Bias [E].
    public let bias: Tensor
    /// Applied after the bias.
    public let activation: Activation
    /// y [B, L, E].
    public let output: Tensor

    /// Describes a transposed convolution.
    public init(input: Tensor, weight: Tensor, bias: Tensor, activation: Activation, output: Tensor) {
        self.input = input
        self.weight = weight
        self.bias = bias
        self.activation = activation
        self.output = output
    }

    /// k₀, both the kernel's width and the stride.
    public var stride: Int { weight.shape[2] }

    public var operands: [Operand] {
        [
            Operand("input", input, .read), Operand("weight", weight, .read, layouts: [.transposedConvolution]),
            Operand("bias", bias, .read),
            Operand("output", output, .write),
        ]
    }

    public var work: Work { Work(flops: 2 * output.shape.elementCount * weight.shape[0], bytes: traffic()) }

    public func validate() throws(ValidationError) {
        try validator.require(input, "input", rank: 3)
        try validator.require(weight, "weight", rank: 3)
        try validator.require(
            input.shape[2] == weight.shape[0], "input", "[B, S, \(weight.shape[0])]", "\(input.shape)")
        try validator.require(bias, "bias", is: [weight.shape[1]])
        try validator.require(
            output, "output", is: [input.shape[0], input.shape[1] * stride, weight.shape[1]])
    }
}
