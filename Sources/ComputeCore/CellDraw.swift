/// Draws an estimate of the clean binary cells from a denoiser's logits:
///
/// estimate[b, s, c] = 1 if u < σ(logits[b, s, c] / T), else 0, u = ``Philox/unit(_:)`` of the draw
/// (s·C + c, step, sample, roll). B samples, S time steps, C cells of a step.
///
/// T = 0 takes 1 where the probability is at least ½, which is the rule of Atassi, arXiv 2303.08385; T = 1 samples what a
/// network trained with cross-entropy means. A NaN among the logits gives a NaN cell, never a note.
public struct CellDraw: Operation {
    public static let name = "cell_draw"

    /// Logits [B, S, C].
    public let logits: Tensor
    /// See ``StepParameters``.
    public let step: Tensor
    /// T, not negative.
    public let temperature: Float
    /// The cells, 0 or 1, [B, S, C].
    public let estimate: Tensor
    /// Set to 1 where a draw came within ``TokenDraw/nearTie`` of its probability, so that devices may differ; marks of earlier
    /// draws stay. [B, S, C], int32.
    public let nearTies: Tensor

    /// Describes a draw.
    public init(logits: Tensor, step: Tensor, temperature: Float, estimate: Tensor, nearTies: Tensor) {
        self.logits = logits
        self.step = step
        self.temperature = temperature
        self.estimate = estimate
        self.nearTies = nearTies
    }

    public var operands: [Operand] {
        [
            Operand("logits", logits, .read), Operand("step", step, .read), Operand("estimate", estimate, .write),
            Operand("nearTies", nearTies, .update),
        ]
    }

    public var work: Work { Work(flops: 3 * logits.shape.elementCount, bytes: traffic()) }

    public func validate() throws(ValidationError) {
        try validator.require(logits, "logits", rank: 3)
        try validator.require(step, "step", is: StepParameters.shape, of: .int32)
        try validator.require(estimate, "estimate", is: logits.shape)
        try validator.require(nearTies, "nearTies", is: logits.shape, of: .int32)
        try validator.require(
            temperature >= 0 && temperature.isFinite, "temperature", "a number that is not negative", "\(temperature)")
    }
}
