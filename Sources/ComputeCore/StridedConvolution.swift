/// A one-dimensional convolution whose kernel is as wide as its stride, so that windows do not overlap:
///
/// y[b, s, d] = activation(Σ_k Σ_e x[b, s·k₀ + k, e] · weight[d, e, k] + bias[d]), k₀ the stride.
///
/// B samples, L input positions, S = L / k₀ output positions, E input and D output channels.
///
/// A NaN or an infinity in x reaches the position of y that holds it, and no other.
public struct StridedConvolution: Operation {
    public static let name = "strided_convolution"

    /// x [B, L, E], L a multiple of the stride.
    public let input: Tensor
    /// Kernel [D, E, k₀].
    public let weight: Tensor
    /// Bias [D].
    public let bias: Tensor
    /// Applied after the bias.
    public let activation: Activation
    /// y [B, S, D].
    public let output: Tensor

    /// Describes a convolution.
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
            Operand("input", input, .read), Operand("weight", weight, .read, layouts: [.stridedConvolution]),
            Operand("bias", bias, .read),
            Operand("output", output, .write),
        ]
    }

    public var work: Work { Work(flops: 2 * output.shape.elementCount * weight.shape[1] * stride, bytes: traffic()) }

    public func validate() throws(ValidationError) {
        try validator.require(input, "input", rank: 3)
        try validator.require(weight, "weight", rank: 3)
        let (channels, stride) = (weight.shape[1], weight.shape[2])
        try validator.require(
            input.shape[1] % stride == 0 && input.shape[2] == channels, "input",
            "[B, a multiple of \(stride), \(channels)]", "\(input.shape)")
        try validator.require(bias, "bias", is: [weight.shape[0]])
        try validator.require(output, "output", is: [input.shape[0], input.shape[1] / stride, weight.shape[0]])
    }
}
