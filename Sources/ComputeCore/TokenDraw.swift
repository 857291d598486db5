/// Draws a candidate for every masked position: candidates[b, l] ~ softmax(logits[b, l] / T) restricted to top-p.
///
/// B samples, L positions, V token ids. Forbidden ids have probability 0. The temperature T comes first, then top-p:
/// the smallest set of ids, by probability descending and id ascending, whose probability reaches p. The candidate is
/// the first id, in id order, at which the cumulative probability exceeds u, where u = ``Philox/unit(_:)`` of the draw
/// (position, step, sample, token). T = 0 takes the most probable id, the lowest of equals, whatever u and p are.
///
/// A position that is not masked keeps its token, with confidence 1. Where no id has a probability, because a logit is
/// NaN or +∞ or all are −∞ or forbidden, the candidate is [MASK] and the confidence 0: NaN never becomes a token.
public struct TokenDraw: Operation {
    public static let name = "token_draw"

    /// Logits [B, L, V].
    public let logits: Tensor
    /// The tokens so far [B, L], int32; the masked ones equal ``maskToken``.
    public let tokens: Tensor
    /// 1 for each id that may be drawn, else 0; [V], int32.
    public let allowed: Tensor
    /// See ``StepParameters``.
    public let step: Tensor
    /// T, not negative.
    public let temperature: Float
    /// p, in (0, 1].
    public let topP: Float
    /// The id of [MASK].
    public let maskToken: Int32
    /// The candidates [B, L], int32.
    public let candidates: Tensor
    /// The probability with which each candidate was drawn, at T = 0 the one that it has at T = 1; [B, L].
    public let confidence: Tensor
    /// 1 where the last draw of a position came within ``nearTie`` of a boundary, at T = 0 an id that near to the most probable
    /// one, so that devices may differ, else 0; [B, L], int32. A position that is not masked keeps the mark of the draw that
    /// revealed it.
    public let nearTies: Tensor

    /// The distance from a boundary of the cumulative distribution below which a draw is counted as a near-tie.
    public static let nearTie: Float = 1e-5

    /// Describes a draw.
    public init(
        logits: Tensor, tokens: Tensor, allowed: Tensor, step: Tensor, temperature: Float, topP: Float,
        maskToken: Int32, candidates: Tensor, confidence: Tensor, nearTies: Tensor
    ) {
        self.logits = logits
        self.tokens = tokens
        self.allowed = allowed
        self.step = step
        self.temperature = temperature
        self.topP = topP
        self.maskToken = maskToken
        self.candidates = candidates
        self.confidence = confidence
        self.nearTies = nearTies
    }

    public var operands: [Operand] {
        [
            Operand("logits", logits, .read), Operand("tokens", tokens, .read), Operand("allowed", allowed, .read),
            Operand("step", step, .read), Operand("candidates", candidates, .write),
            Operand("confidence", confidence, .write), Operand("nearTies", nearTies, .update),
        ]
    }

    public var work: Work { Work(flops: 6 * logits.shape.elementCount, bytes: traffic()) }

    public func validate() throws(ValidationError) {
        try validator.require(logits, "logits", rank: 3)
        let positions: Shape = [logits.shape[0], logits.shape[1]]
        try validator.require(tokens, "tokens", is: positions, of: .int32)
        try validator.require(allowed, "allowed", is: [logits.shape[2]], of: .int32)
        try validator.require(step, "step", is: StepParameters.shape, of: .int32)
        try validator.require(candidates, "candidates", is: positions, of: .int32)
        try validator.require(confidence, "confidence", is: positions)
        try validator.require(nearTies, "nearTies", is: positions, of: .int32)
        try validator.require(
            temperature >= 0 && temperature.isFinite, "temperature", "a number that is not negative", "\(temperature)")
        try validator.require(topP > 0 && topP <= 1, "topP", "a number in (0, 1]", "\(topP)")
    }
}
