/// The gradients of ``CausalConvolution``. With v the sums before SiLU, computed again, and dv = dy · SiLU′(v),
///
/// dx[b, s, i] = Σ_w dv[b, s + W − 1 − w, i] · weight[i, 0, w], dv being 0 behind the sequence,
/// dweight[i, 0, w] += Σ_{b,s} dv[b, s, i] · x[b, s − W + 1 + w, i], dbias[i] += Σ_{b,s} dv[b, s, i].
///
/// B samples, S positions, I channels, W the kernel's width.
///
/// A NaN or an infinity reaches every gradient whose sum holds it, as NaN or infinite; which of the two may differ by device.
public struct CausalConvolutionBackward: Operation {
    public static let name = "causal_convolution_backward"

    /// The convolution; its input, weight and bias are read.
    public let forward: CausalConvolution
    /// dy [B, S, I].
    public let outputGradient: Tensor
    /// dx [B·S, I], overwritten.
    public let inputGradient: MatrixView
    /// dweight [I, 1, W], added to.
    public let weightGradient: Tensor
    /// dbias [I], added to.
    public let biasGradient: Tensor

    /// Describes the gradients of a convolution.
    public init(
        forward: CausalConvolution, outputGradient: Tensor, inputGradient: MatrixView, weightGradient: Tensor,
        biasGradient: Tensor
    ) {
        self.forward = forward
        self.outputGradient = outputGradient
        self.inputGradient = inputGradient
        self.weightGradient = weightGradient
        self.biasGradient = biasGradient
    }

    public var operands: [Operand] {
        [
            Operand("input", forward.input, .read), Operand("weight", forward.weight, .read),
            Operand("bias", forward.bias, .read), Operand("outputGradient", outputGradient, .read),
            Operand("inputGradient", inputGradient, .write),
            Operand("weightGradient", weightGradient, .update), Operand("biasGradient", biasGradient, .update),
        ]
    }

    public var work: Work {
        let count = outputGradient.shape.elementCount
        return Work(flops: count * (6 * forward.width + 8), bytes: 12 * count)
    }

    public func validate() throws(ValidationError) {
        try forward.validate()
        try validator.require(outputGradient, "outputGradient", is: forward.output.shape)
        try validator.require(
            inputGradient, "inputGradient", rows: forward.input.rows, columns: forward.input.columns)
        try validator.require(weightGradient, "weightGradient", is: forward.weight.shape)
        try validator.require(biasGradient, "biasGradient", is: forward.bias.shape)
    }
}

extension CausalConvolution: Differentiable {
    public func recordBackward(into tape: inout GradientTape) throws(ValidationError) {
        guard let dy = try tape.gradient(of: output) else { return }
        try tape.append(
            CausalConvolutionBackward(
                forward: self, outputGradient: dy, inputGradient: tape.share(of: input),
                weightGradient: tape.parameterGradient(of: weight), biasGradient: tape.parameterGradient(of: bias)))
    }
}
