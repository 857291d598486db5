/// Softmax, weighted cross-entropy of the selected positions, and its gradient, in one pass. Where selector[b, l] is the
/// selected value,
///
/// losses[b, l] = weights[b] · (ln Σ_v exp(logits[b, l, v]) − logits[b, l, targets[b, l]]) in nats,
/// logits[b, l, v] ← weights[b] · (softmax(logits[b, l])[v] − [v = targets[b, l]]);
///
/// elsewhere both are 0, whatever the logits hold. B samples, L positions, V token ids. The sum of ``losses`` is the
/// loss, and the weights make it one of the three of arXiv 2107.03006 and 2406.07524: for the mean over the selected
/// positions all weights are 1 / their number, for the others w(t_b) / (B·L).
///
/// In a selected position a NaN or +∞ among the logits, or a target outside 0..<V, makes loss and gradient NaN.
public struct CrossEntropy: Operation {
    public static let name = "cross_entropy"

    /// Logits [B, L, V]; afterwards the gradient of the loss by them.
    public let logits: Tensor
    /// The right ids [B, L], int32.
    public let targets: Tensor
    /// Tells which positions count, [B, L], int32.
    public let selector: Tensor
    /// The value of ``selector`` where a position counts: 1 for a mask, the id of [MASK] for noisy tokens.
    public let selected: Int32
    /// The weight of each sample's positions, [B].
    public let weights: Tensor
    /// What each position adds to the loss, [B, L].
    public let losses: Tensor

    /// Describes a loss.
    public init(
        logits: Tensor, targets: Tensor, selector: Tensor, selected: Int32, weights: Tensor, losses: Tensor
    ) {
        self.logits = logits
        self.targets = targets
        self.selector = selector
        self.selected = selected
        self.weights = weights
        self.losses = losses
    }

    public var operands: [Operand] {
        [
            Operand("logits", logits, .update), Operand("targets", targets, .read),
            Operand("selector", selector, .read), Operand("weights", weights, .read),
            Operand("losses", losses, .write),
        ]
    }

    public var work: Work {
        let count = logits.shape.elementCount
        return Work(flops: 6 * count, bytes: traffic())
    }

    public func validate() throws(ValidationError) {
        try validator.require(logits, "logits", rank: 3)
        let positions: Shape = [logits.shape[0], logits.shape[1]]
        try validator.require(targets, "targets", is: positions, of: .int32)
        try validator.require(selector, "selector", is: positions, of: .int32)
        try validator.require(weights, "weights", is: [logits.shape[0]])
        try validator.require(losses, "losses", is: positions)
    }
}

extension CrossEntropy: Differentiable {
    /// The gradient is in the logits' memory already.
    public func recordBackward(into tape: inout GradientTape) throws(ValidationError) {
        try tape.pass(logits.matrix, to: logits.matrix)
    }
}
