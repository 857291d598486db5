/// One step of AdamW with decoupled decay for one parameter, and the moving average of the weights. With g the clipped
/// gradient, η the rate and k the number of the step,
///
/// m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g²,
/// w ← w − η·decay·w − η · (m / (1 − β₁ᵏ)) / (√(v / (1 − β₂ᵏ)) + ε), average ← e·average + (1 − e)·w.
///
/// The gradient is 0 afterwards, so that the next accumulation starts. Element by element, in whatever layout the five
/// tensors share. Sources: Loshchilov and Hutter, arXiv 1711.05101; the average: Polyak and Juditsky, 1992.
///
/// A NaN or an infinity in an element reaches that element of the moments, the weight and the average, and no other.
public struct AdamW: Operation {
    public static let name = "adamw"

    /// w.
    public let weight: Tensor
    /// The accumulated gradient before clipping, the shape of w.
    public let gradient: Tensor
    /// m, the shape of w.
    public let firstMoment: Tensor
    /// v, the shape of w.
    public let secondMoment: Tensor
    /// The average, the shape of w.
    public let average: Tensor
    /// The factor of ``GradientNorm``, [2], of which the first is used.
    public let clip: Tensor
    /// See ``AdamWSchedule``.
    public let schedule: Tensor
    /// The decay per unit of rate; 0 for norms, biases, A_log and D.
    public let decay: Float

    /// Describes a step.
    public init(
        weight: Tensor, gradient: Tensor, firstMoment: Tensor, secondMoment: Tensor, average: Tensor, clip: Tensor,
        schedule: Tensor, decay: Float
    ) {
        self.weight = weight
        self.gradient = gradient
        self.firstMoment = firstMoment
        self.secondMoment = secondMoment
        self.average = average
        self.clip = clip
        self.schedule = schedule
        self.decay = decay
    }

    public var operands: [Operand] {
        let state = [
            ("gradient", gradient), ("firstMoment", firstMoment), ("secondMoment", secondMoment), ("average", average),
        ]
        return [Operand("weight", weight, .update, layouts: .float32)]
            + state.map { Operand($0, $1, .update, layouts: .float32, layoutOf: "weight") }
            + [Operand("clip", clip, .read), Operand("schedule", schedule, .read)]
    }

    public var work: Work { Work(flops: 18 * weight.shape.elementCount, bytes: traffic()) }

    public func validate() throws(ValidationError) {
        try validator.require(weight.elementType == .float32, "weight", "float32", "\(weight.elementType)")
        try validator.require(gradient, "gradient", is: weight.shape)
        try validator.require(firstMoment, "firstMoment", is: weight.shape)
        try validator.require(secondMoment, "secondMoment", is: weight.shape)
        try validator.require(average, "average", is: weight.shape)
        try validator.require(clip, "clip", is: [2])
        try validator.require(schedule, "schedule", is: AdamWSchedule.shape)
        try validator.require(decay >= 0 && decay.isFinite, "decay", "a number that is not negative", "\(decay)")
    }
}
