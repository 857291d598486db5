/// One draw of a binomial diffusion over binary cells: the forward process and every reverse step.
///
/// Where known[b, s, c] ≤ ½,
///
/// output[b, s, c] = 1 if the draw (s·C + c, step, sample, purpose) is below
/// thresholds[b, plane(c), 2·current[b, s, c] + estimate[b, s, c]], else 0;
///
/// elsewhere output = current. B samples, S time steps, C cells of a step, P planes of C / P cells each, plane(c) = c / (C / P):
/// each plane has a prior density of its own. Every law of the process is four probabilities for the values of x_t and of
/// the estimate of x_0: the forward marginal (`estimate` is `current`), the exact posterior, and the shared-noise step, in which
/// `current` is the noise. Source: Sohl-Dickstein et al., arXiv 1503.03585; Atassi, arXiv 2303.08385.
///
/// A cell whose current value or estimate is NaN becomes NaN: what is undefined stays so.
public struct BinomialStep: Operation {
    public static let name = "binomial_step"

    /// Cells, 0 or 1, [B, S, C].
    public let current: Tensor
    /// The estimate of the clean cells, 0 or 1, [B, S, C]; may be ``current``.
    public let estimate: Tensor
    /// Above ½ where a cell is given and stays, [B, S, C].
    public let known: Tensor
    /// Integer thresholds by (current, estimate), low word first; [B, P, 4, 2], int32.
    public let thresholds: Tensor
    /// See ``StepParameters``.
    public let step: Tensor
    /// Part of every draw's counter.
    public let purpose: Philox.Purpose
    /// The cells afterwards [B, S, C]; may be the memory of ``current``, where ``estimate`` is not.
    public let output: Tensor

    /// Describes a step.
    public init(
        current: Tensor, estimate: Tensor, known: Tensor, thresholds: Tensor, step: Tensor, purpose: Philox.Purpose,
        output: Tensor
    ) {
        self.current = current
        self.estimate = estimate
        self.known = known
        self.thresholds = thresholds
        self.step = step
        self.purpose = purpose
        self.output = output
    }

    public var operands: [Operand] {
        [
            Operand("current", current, .read), Operand("estimate", estimate, .read), Operand("known", known, .read),
            Operand("thresholds", thresholds, .read), Operand("step", step, .read),
            Operand("output", output, .write, inPlaceOf: "current"),
        ]
    }

    public var work: Work { Work(flops: 0, bytes: traffic()) }

    public func validate() throws(ValidationError) {
        try validator.require(current, "current", rank: 3)
        try validator.require(estimate, "estimate", is: current.shape)
        try validator.require(known, "known", is: current.shape)
        try validator.require(thresholds, "thresholds", rank: 4, of: .int32)
        let planes = thresholds.shape[1]
        try validator.require(thresholds, "thresholds", is: [current.shape[0], planes, 4, 2], of: .int32)
        try validator.require(
            planes > 0 && current.shape[2] % planes == 0, "thresholds",
            "a number of planes that divides \(current.shape[2])",
            "\(planes)")
        try validator.require(step, "step", is: StepParameters.shape, of: .int32)
        try validator.require(output, "output", is: current.shape)
    }
}

extension BinomialStep: Differentiable {
    /// A draw passes no gradient on.
    public func recordBackward(into tape: inout GradientTape) {}
}
