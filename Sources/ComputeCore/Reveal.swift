/// Turns some masked positions into their candidates: one reverse step of absorbing-state diffusion.
///
/// tokens[b, l] ← candidates[b, l] where the token is masked, l < length, and the rule chooses the position.
/// B samples, L positions. Source of the process: Austin et al., arXiv 2107.03006.
public struct Reveal: Operation {
    public static let name = "reveal"

    /// Which masked positions a step reveals.
    public enum Rule: Hashable, Sendable {
        /// Each on its own with the step's probability: the draw (position, step, sample, reveal) is below the
        /// threshold. Ancestral sampling.
        case independent
        /// Those whose number in the tensor [B, L], int32, is the step's. The times were drawn beforehand.
        case scheduled(Tensor)
        /// The step's count of positions with the greatest confidence [B, L], the lowest position of equals.
        case confidence(Tensor)
    }

    /// The tokens [B, L], int32.
    public let tokens: Tensor
    /// What they become [B, L], int32.
    public let candidates: Tensor
    /// See ``StepParameters``.
    public let step: Tensor
    /// Which positions are revealed.
    public let rule: Rule
    /// Positions from here on are padding and stay as they are.
    public let length: Int
    /// The id of [MASK].
    public let maskToken: Int32

    /// Describes a reverse step.
    public init(tokens: Tensor, candidates: Tensor, step: Tensor, rule: Rule, length: Int, maskToken: Int32) {
        self.tokens = tokens
        self.candidates = candidates
        self.step = step
        self.rule = rule
        self.length = length
        self.maskToken = maskToken
    }

    public var operands: [Operand] {
        let common = [
            Operand("tokens", tokens, .update), Operand("candidates", candidates, .read), Operand("step", step, .read),
        ]
        switch rule {
        case .independent: return common
        case .scheduled(let steps): return common + [Operand("revealSteps", steps, .read)]
        case .confidence(let confidence): return common + [Operand("confidence", confidence, .read)]
        }
    }

    public var work: Work { Work(flops: 0, bytes: traffic()) }

    public func validate() throws(ValidationError) {
        try validator.require(tokens, "tokens", rank: 2, of: .int32)
        try validator.require(candidates, "candidates", is: tokens.shape, of: .int32)
        try validator.require(step, "step", is: StepParameters.shape, of: .int32)
        try validator.require((0...tokens.shape[1]).contains(length), "length", "0...\(tokens.shape[1])", "\(length)")
        switch rule {
        case .independent: break
        case .scheduled(let steps): try validator.require(steps, "revealSteps", is: tokens.shape, of: .int32)
        case .confidence(let confidence): try validator.require(confidence, "confidence", is: tokens.shape)
        }
    }
}
