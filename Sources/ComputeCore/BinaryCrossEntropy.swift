/// The loss of predicting binary cells, and its gradient, in one pass. With p = σ(logits[b, s, c]) and y = targets[b, s, c], over
/// the cells with known[b, s, c] ≤ ½,
///
/// losses[b, s] = weights[b] · Σ_c ℓ, logits[b, s, c] ← weights[b] · ∂ℓ/∂logit;
///
/// ℓ = −y·ln p − (1 − y)·ln(1 − p) in nats, with slope p − y, or ℓ = |p − y|, with slope ±p·(1 − p). Known cells add nothing,
/// whatever their logits. B samples, S time steps, C cells of a step. The sum of ``losses`` is the loss; with all weights 1 / (free
/// cells) it is their mean. Source: the mean absolute error is Atassi's, arXiv 2303.08385; the cross-entropy is ours.
///
/// A NaN among the logits of free cells makes its loss and slope NaN; ±∞ gives what the limit gives.
public struct BinaryCrossEntropy: Operation {
    public static let name = "binary_cross_entropy"

    /// What a cell costs.
    public enum Loss: String, Hashable, Sendable, CaseIterable, Codable {
        /// −y·ln p − (1 − y)·ln(1 − p).
        case crossEntropy = "cross-entropy"
        /// |p − y|.
        case absolute
    }

    /// Logits [B, S, C]; afterwards the gradient of the loss by them.
    public let logits: Tensor
    /// The right cells, 0 or 1, [B, S, C].
    public let targets: Tensor
    /// Above ½ where a cell does not count, [B, S, C].
    public let known: Tensor
    /// The weight of each sample's cells, [B].
    public let weights: Tensor
    /// What a cell costs.
    public let loss: Loss
    /// What each time step adds to the loss, [B, S].
    public let losses: Tensor

    /// Describes a loss.
    public init(logits: Tensor, targets: Tensor, known: Tensor, weights: Tensor, loss: Loss, losses: Tensor) {
        self.logits = logits
        self.targets = targets
        self.known = known
        self.weights = weights
        self.loss = loss
        self.losses = losses
    }

    public var operands: [Operand] {
        [
            Operand("logits", logits, .update), Operand("targets", targets, .read), Operand("known", known, .read),
            Operand("weights", weights, .read), Operand("losses", losses, .write),
        ]
    }

    public var work: Work {
        let count = logits.shape.elementCount
        return Work(flops: 8 * count, bytes: traffic())
    }

    public func validate() throws(ValidationError) {
        try validator.require(logits, "logits", rank: 3)
        try validator.require(targets, "targets", is: logits.shape)
        try validator.require(known, "known", is: logits.shape)
        try validator.require(weights, "weights", is: [logits.shape[0]])
        try validator.require(losses, "losses", is: [logits.shape[0], logits.shape[1]])
    }
}

extension BinaryCrossEntropy: Differentiable {
    /// The gradient is in the logits' memory already.
    public func recordBackward(into tape: inout GradientTape) throws(ValidationError) {
        try tape.pass(logits.matrix, to: logits.matrix)
    }
}
