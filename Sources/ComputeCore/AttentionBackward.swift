/// The gradients of ``Attention``, from its saved log-sum-exp. Per head, with p[s, t] = exp(score[s, t] − lse[s]),
///
/// dv[t] = Σ_s p[s, t] · dy[s], dscore[s, t] = p[s, t] · (dy[s] · v[t] − dy[s] · y[s]),
/// dq̂[s] = Σ_t dscore[s, t] · k̂[t] / √d, dk̂[t] = Σ_s dscore[s, t] · q̂[s] / √d,
///
/// dq̂ and dk̂ turned back by the rotary angles. B samples, S positions, D = H·d features, H heads. No tensor of S·S
/// elements exists. Source: Dao et al., arXiv 2205.14135, appendix B.
///
/// A NaN or an infinity reaches every gradient whose sum holds it, as NaN or infinite; which of the two may differ by device.
public struct AttentionBackward: Operation {
    public static let name = "attention_backward"

    /// The layer; its projections, output and log-sum-exp are read.
    public let forward: Attention
    /// dy [B, S, D].
    public let outputGradient: Tensor
    /// The gradients of queries, keys and values side by side, [B, S, 3·D], overwritten.
    public let projectionsGradient: Tensor

    /// Describes the gradients of an attention layer.
    public init(forward: Attention, outputGradient: Tensor, projectionsGradient: Tensor) {
        self.forward = forward
        self.outputGradient = outputGradient
        self.projectionsGradient = projectionsGradient
    }

    public var operands: [Operand] {
        var operands = [
            Operand("projections", forward.projections, .read), Operand("output", forward.output, .read),
            Operand("outputGradient", outputGradient, .read),
            Operand("projectionsGradient", projectionsGradient, .write),
        ]
        if let logSumExp = forward.logSumExp { operands.append(Operand("logSumExp", logSumExp, .read)) }
        return operands
    }

    public var work: Work {
        Work(flops: 5 * forward.work.flops / 2, bytes: 2 * forward.work.bytes)
    }

    public func validate() throws(ValidationError) {
        try forward.validate()
        try validator.require(forward.logSumExp != nil, "forward.logSumExp", "a tensor", "none")
        try validator.require(
            forward.precision == .float32, "forward.precision", "f32 where a gradient is wanted",
            forward.precision.rawValue)
        try validator.require(outputGradient, "outputGradient", is: forward.output.shape)
        try validator.require(projectionsGradient, "projectionsGradient", is: forward.projections.shape)
    }
}

extension Attention: Differentiable {
    public func recordBackward(into tape: inout GradientTape) throws(ValidationError) {
        guard let dy = try tape.gradient(of: output) else { return }
        try tape.append(
            AttentionBackward(forward: self, outputGradient: dy, projectionsGradient: tape.share(of: projections)))
    }
}
