/// Mamba's depthwise causal convolution, followed by SiLU:
///
/// y[b, s, i] = SiLU(Σ_w x[b, s − W + 1 + w, i] · weight[i, 0, w] + bias[i]), x being 0 before the sequence;
/// SiLU(v) = v / (1 + e⁻ᵛ).
///
/// B samples, S positions, I channels, W the kernel's width. Source: Gu and Dao, arXiv 2312.00752.
///
/// A NaN or an infinity in x reaches the W positions of its channel that see it, and no other.
public struct CausalConvolution: Operation {
    public static let name = "causal_convolution"

    /// x [B·S, I], some columns of a tensor [B, S, …].
    public let input: MatrixView
    /// Kernel [I, 1, W].
    public let weight: Tensor
    /// Bias [I].
    public let bias: Tensor
    /// y [B, S, I].
    public let output: Tensor

    /// Describes a convolution.
    public init(input: MatrixView, weight: Tensor, bias: Tensor, output: Tensor) {
        self.input = input
        self.weight = weight
        self.bias = bias
        self.output = output
    }

    /// W, the number of positions that each output sees.
    public var width: Int { weight.shape[2] }

    public var operands: [Operand] {
        [
            Operand("input", input, .read), Operand("weight", weight, .read), Operand("bias", bias, .read),
            Operand("output", output, .write),
        ]
    }

    public var work: Work {
        let count = output.shape.elementCount
        return Work(flops: count * (2 * width + 4), bytes: 8 * count)
    }

    public func validate() throws(ValidationError) {
        try validator.require(output, "output", rank: 3)
        let (batch, length, channels) = (output.shape[0], output.shape[1], output.shape[2])
        try validator.require(weight, "weight", rank: 3)
        try validator.require(weight, "weight", is: [channels, 1, width])
        try validator.require(bias, "bias", is: [channels])
        try validator.require(input, "input", rows: batch * length, columns: channels)
    }
}
