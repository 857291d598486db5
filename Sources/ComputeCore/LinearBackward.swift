/// The gradients of ``Linear`` without its activation and residual.
///
/// With y = x · weightᵀ + bias: dx (+)= dy · weight, dweight += dyᵀ · x, dbias += Σ_m dy[m].
///
/// M rows, K inputs, N outputs. The factors of both products have the layer's precision; sums are float32, in an order that
/// depends on M, N and K alone.
///
/// A NaN or an infinity reaches every gradient whose sum holds it, as NaN or infinite; which of the two may differ by device.
public struct LinearBackward: Operation {
    public static let name = "linear_backward"

    /// The layer; its input and weight are read.
    public let forward: Linear
    /// dy [M, N].
    public let outputGradient: MatrixView
    /// dx [M, K].
    public let inputGradient: MatrixView
    /// Whether dx is added to.
    public let accumulates: Bool
    /// dweight [N, K], added to.
    public let weightGradient: Tensor
    /// dbias [N], added to; there if the layer has a bias.
    public let biasGradient: Tensor?

    /// Describes the gradients of a layer.
    public init(
        forward: Linear, outputGradient: MatrixView, inputGradient: MatrixView, accumulates: Bool,
        weightGradient: Tensor, biasGradient: Tensor?
    ) {
        self.forward = forward
        self.outputGradient = outputGradient
        self.inputGradient = inputGradient
        self.accumulates = accumulates
        self.weightGradient = weightGradient
        self.biasGradient = biasGradient
    }

    public var operands: [Operand] {
        var operands = [
            Operand("input", forward.input, .read),
            Operand("weight", forward.weight, .read, layouts: [.matrix]),
            Operand("outputGradient", outputGradient, .read),
            Operand("inputGradient", inputGradient, accumulates ? .update : .write),
            Operand("weightGradient", weightGradient, .update, layouts: [.matrix]),
        ]
        if let biasGradient { operands.append(Operand("biasGradient", biasGradient, .update)) }
        return operands
    }

    public var work: Work { Work(flops: 2 * forward.work.flops, bytes: 2 * forward.work.bytes) }

    public func validate() throws(ValidationError) {
        try forward.validate()
        let (m, n, k) = (forward.input.rows, forward.weight.shape[0], forward.weight.shape[1])
        try validator.require(outputGradient, "outputGradient", rows: m, columns: n)
        try validator.require(inputGradient, "inputGradient", rows: m, columns: k)
        try validator.require(weightGradient, "weightGradient", is: forward.weight.shape)
        try validator.require(
            (biasGradient == nil) == (forward.bias == nil), "biasGradient", "one exactly if there is a bias",
            biasGradient == nil ? "none" : "one")
        if let biasGradient { try validator.require(biasGradient, "biasGradient", is: [n]) }
    }
}

extension Linear: Differentiable {
    public func recordBackward(into tape: inout GradientTape) throws(ValidationError) {
        guard let dy = try tape.gradient(of: output) else { return }
        try validator.require(
            activation == .none || activation.slopeIsOfOutput && residual == nil, "activation",
            "one whose slope the output tells, without a residual; else record an Activate", activation.rawValue)
        if activation != .none {
            try tape.append(ActivationBackward(gradient: dy, saved: output, activation: activation))
        }
        let x = MatrixView(tensor: try tape.value(of: input.tensor), columnRange: input.columnRange)
        let (dx, accumulates) = try tape.sum(for: input)
        var biasGradient: Tensor?
        if let bias { biasGradient = try tape.parameterGradient(of: bias) }
        try tape.append(
            LinearBackward(
                forward: Linear(input: x, weight: weight, bias: bias, precision: precision, output: output),
                outputGradient: dy, inputGradient: dx, accumulates: accumulates,
                weightGradient: tape.parameterGradient(of: weight), biasGradient: biasGradient))
        if let residual { try tape.pass(dy, to: residual.matrix) }
    }
}
