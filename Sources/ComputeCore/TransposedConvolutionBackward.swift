/// The gradients of ``TransposedConvolution`` without its activation.
///
/// dx[b, s, d] = Σ_k Σ_e dy[b, s·k₀ + k, e] · weight[d, e, k],
/// dweight[d, e, k] += Σ_{b,s} x[b, s, d] · dy[b, s·k₀ + k, e], dbias[e] += Σ_{b,l} dy[b, l, e].
///
/// B samples, S input positions, L = S·k₀ output positions, D input and E output channels.
///
/// A NaN or an infinity reaches every gradient whose sum holds it, as NaN or infinite; which of the two may differ by device.
public struct TransposedConvolutionBackward: Operation {
    public static let name = "transposed_convolution_backward"

    /// The convolution; its input and weight are read.
    public let forward: TransposedConvolution
    /// dy [B, L, E].
    public let outputGradient: Tensor
    /// dx [B, S, D], overwritten.
    public let inputGradient: Tensor
    /// dweight [D, E, k₀], added to.
    public let weightGradient: Tensor
    /// dbias [E], added to.
    public let biasGradient: Tensor

    /// Describes the gradients of a convolution.
    public init(
        forward: TransposedConvolution, outputGradient: Tensor, inputGradient: Tensor, weightGradient: Tensor,
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
            Operand("input", forward.input, .read),
            Operand("weight", forward.weight, .read, layouts: [.transposedConvolution]),
            Operand("outputGradient", outputGradient, .read), Operand("inputGradient", inputGradient, .write),
            Operand("weightGradient", weightGradient, .update, layouts: [.transposedConvolution]),
            Operand("biasGradient", biasGradient, .update),
        ]
    }

    public var work: Work { Work(flops: 2 * forward.work.flops, bytes: traffic()) }

    public func validate() throws(ValidationError) {
        try forward.validate()
        try validator.require(outputGradient, "outputGradient", is: forward.output.shape)
        try validator.require(inputGradient, "inputGradient", is: forward.input.shape)
        try validator.require(weightGradient, "weightGradient", is: forward.weight.shape)
        try validator.require(biasGradient, "biasGradient", is: forward.bias.shape)
    }
}

extension TransposedConvolution: Differentiable {
    public func recordBackward(into tape: inout GradientTape) throws(ValidationError) {
        guard let dy = try tape.gradient(of: output) else { return }
        try validator.require(
            activation == .none || activation.slopeIsOfOutput, "activation",
            "one whose slope the output tells; else record an Activate", activation.rawValue)
        if activation != .none {
            try tape.append(ActivationBackward(gradient: dy.matrix, saved: output.matrix, activation: activation))
        }
        try tape.append(
            TransposedConvolutionBackward(
                forward: TransposedConvolution(
                    input: tape.value(of: input), weight: weight, bias: bias, activation: .none, output: output),
                outputGradient: dy, inputGradient: tape.share(of: input),
                weightGradient: tape.parameterGradient(of: weight), biasGradient: tape.parameterGradient(of: bias)))
    }
}
