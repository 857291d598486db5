/// An activation by itself: y = activation(x), element by element.
///
/// Inference fuses activations into what comes before them; training records them apart, because the gradient of one that
/// is not monotonic needs its input. M rows, N columns, in tensors of any rank.
///
/// NaN stays NaN.
public struct Activate: Operation, Recomputable {
    public static let name = "activate"

    /// x [..., N].
    public let input: Tensor
    /// What is applied.
    public let activation: Activation
    /// y [..., N].
    public let output: Tensor

    /// Describes an activation.
    public init(input: Tensor, activation: Activation, output: Tensor) {
        self.input = input
        self.activation = activation
        self.output = output
    }

    public func repeated(into output: Tensor) -> Activate {
        Activate(input: input, activation: activation, output: output)
    }

    public var operands: [Operand] { [Operand("input", input, .read), Operand("output", output, .write)] }

    public var work: Work { Work(flops: 8 * input.shape.elementCount, bytes: traffic()) }

    public func validate() throws(ValidationError) {
        try validator.require(input.matrix, "input", rows: input.matrix.rows, columns: input.matrix.columns)
        try validator.require(output, "output", is: input.shape)
    }
}

extension Activate: Differentiable {
    public func recordBackward(into tape: inout GradientTape) throws(ValidationError) {
        guard let gradient = try tape.gradient(of: output.matrix) else { return }
        if activation != .none {
            let saved = activation.slopeIsOfOutput ? try tape.value(of: output) : input
            try tape.append(ActivationBackward(gradient: gradient, saved: saved.matrix, activation: activation))
        }
        try tape.pass(gradient, to: input.matrix)
    }
}
