/// The gradients of ``StridedConvolution`` without its activation.
///
/// dx[b, s·k₀ + k, e] = Σ_d dy[b, s, d] · weight[d, e, k],
/// dweight[d, e, k] += Σ_{b,s} dy[b, s, d] · x[b, s·k₀ + k, e], dbias[d] += Σ_{b,s} dy[b, s, d].
///
/// B samples, L input positions, S = L / k₀ output positions, E input and D output channels.
///
/// A NaN or an infinity reaches every gradient whose sum holds it, as NaN or infinite; which of the two may differ by device.
public struct StridedConvolutionBackward: Operation {
    public static let name = "strided_convolution_backward"

    /// The convolution; its input and weight are read.
    public let forward: StridedConvolution
    /// dy [B, S, D].
    public let outputGradient: Tensor
    /// dx [B, L, E], overwritten.
    public let inputGradient: Tensor
    /// dweight [D, E, k₀], added to.
    public let weightGradient: Tensor
    /// dbias [D], added to.
    public let biasGradient: Tensor

    /// Describes the gradients of a convolution.
    public init(
        forward: StridedConvolution, outputGradient: Tensor, inputGradient: Tensor, weightGradient: Tensor,
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
            Operand("weight", forward.weight, .read, layouts: [.stridedConvolution]),
            Operand("outputGradient", outputGradient, .read), Operand("inputGradient", inputGradient, .write),
            Operand("weightGradient", weightGradient, .update, layouts: [.stridedConvolution]),
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

extension StridedConvolution: Differentiable {
    public func recordBackward(into tape: inout GradientTape) throws(ValidationError) {
        guard let dy = try tape.gradient(of: output) else { return }
        try validator.require(
            activation == .none || activation.slopeIsOfOutput, "activation",
            "one whose slope the output tells; else record an Activate", activation.rawValue)
        if activation != .none {
            try tape.append(ActivationBackward(gradient: dy.matrix, saved: output.matrix, activation: activation))
        }
        try tape.append(
            StridedConvolutionBackward(
                forward: StridedConvolution(
                    input: tape.value(of: input), weight: weight, bias: bias, activation: .none, output: output),
                outputGradient: dy, inputGradient: tape.share(of: input),
                weightGradient: tape.parameterGradient(of: weight), biasGradient: tape.parameterGradient(of: bias)))
    }
}
