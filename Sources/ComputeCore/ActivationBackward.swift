/// Takes a gradient back through an activation, in place: gradient ← gradient · activation′.
///
/// GELU: Φ(x) + x · φ(x), φ the normal density, from the input x. ReLU: 1 where the output is positive, else 0. M rows, N
/// columns. A NaN in the gradient stays; a NaN in GELU's input makes the gradient NaN.
public struct ActivationBackward: Operation {
    public static let name = "activation_backward"

    /// The gradient of the output, then of the input, [M, N].
    public let gradient: MatrixView
    /// [M, N]: the activation's output if ``Activation/slopeIsOfOutput``, else its input.
    public let saved: MatrixView
    /// Which activation.
    public let activation: Activation

    /// Describes the way back.
    public init(gradient: MatrixView, saved: MatrixView, activation: Activation) {
        self.gradient = gradient
        self.saved = saved
        self.activation = activation
    }

    public var operands: [Operand] {
        [Operand("gradient", gradient, .update), Operand("saved", saved, .read)]
    }

    public var work: Work {
        let count = gradient.rows * gradient.columns
        return Work(flops: 12 * count, bytes: 12 * count)
    }

    public func validate() throws(ValidationError) {
        try validator.require(gradient, "gradient", rows: gradient.rows, columns: gradient.columns)
        try validator.require(saved, "saved", rows: gradient.rows, columns: gradient.columns)
        try validator.require(activation != .none, "activation", "relu or gelu", "none")
    }
}

extension Activation {
    /// Whether the derivative is a function of the output, so that the input need not be kept.
    public var slopeIsOfOutput: Bool { self == .relu }
}
