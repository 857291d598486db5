/// What a ``Linear`` or a convolution applies to its sums.
public enum Activation: String, Hashable, Sendable {
    /// The identity.
    case none
    /// max(x, 0); NaN stays NaN.
    case relu
    /// x · Φ(x) with the exact normal distribution function, ½·x·(1 + erf(x/√2)). Source: arXiv 1606.08415.
    /// NaN stays NaN, −∞ gives the limit 0.
    case gelu
}

/// The type in which a product's factors enter; sums are always float32.
public enum Precision: String, Codable, Hashable, Sendable, CaseIterable {
    /// IEEE binary32.
    case float32 = "f32"
    /// bfloat16 factors, rounded to nearest even, denormals taken as zero; exact products, float32 sums.
    case bfloat16 = "bf16"

    /// The layout of a weight that is a factor of this precision.
    public var matrixLayout: ParameterLayout { self == .float32 ? .matrix : .bfloat16Matrix }

    /// The layouts of weights that products of this precision take: bfloat16 ones round those that are not.
    var matrixLayouts: Set<ParameterLayout> { [.matrix, matrixLayout] }
}

/// A linear layer with what follows it: y = activation(x · weightᵀ + bias) + residual.
///
/// M rows (all axes of x but the last), K inputs, N outputs. Products are summed in an order that depends on K alone,
/// so a row's result does not depend on the rows beside it.
///
/// A NaN or an infinity in a row of x reaches that row of y and no other.
public struct Linear: Operation {
    public static let name = "linear"

    /// x [M, K], possibly some columns of a wider tensor.
    public let input: MatrixView
    /// Weight [N, K].
    public let weight: Tensor
    /// Bias [N], if any.
    public let bias: Tensor?
    /// Applied after the bias.
    public let activation: Activation
    /// Added after the activation, [M, N], if any.
    public let residual: Tensor?
    /// Type of the factors.
    public let precision: Precision
    /// y [M, N], possibly some columns of a wider tensor.
    public let output: MatrixView

    /// Describes a linear layer.
    public init(
        input: MatrixView, weight: Tensor, bias: Tensor? = nil, activation: Activation = .none,
        residual: Tensor? = nil, precision: Precision = .float32, output: MatrixView
    ) {
        self.input = input
        self.weight = weight
        self.bias = bias
        self.activation = activation
        self.residual = residual
        self.precision = precision
        self.output = output
    }

    public var operands: [Operand] {
        var operands = [
            Operand("input", input, .read), Operand("weight", weight, .read, layouts: precision.matrixLayouts),
        ]
        if let bias { operands.append(Operand("bias", bias, .read)) }
        if let residual { operands.append(Operand("residual", residual, .read)) }
        operands.append(Operand("output", output, .write))
        return operands
    }

    public var work: Work {
        let (m, n, k) = (input.rows, weight.shape[0], weight.shape[1])
        return Work(flops: 2 * m * n * k, bytes: 4 * (m * k + n * k + m * n * (residual == nil ? 1 : 2)))
    }

    public func validate() throws(ValidationError) {
        try validator.require(weight, "weight", rank: 2)
        let (n, k) = (weight.shape[0], weight.shape[1])
        try validator.require(input, "input", rows: input.rows, columns: k)
        try validator.require(output, "output", rows: input.rows, columns: n)
        try validator.require(input.rows > 0, "input", "at least one row", "\(input.tensor.shape)")
        if let bias { try validator.require(bias, "bias", is: [n]) }
        if let residual { try validator.require(residual.matrix, "residual", rows: input.rows, columns: n) }
    }
}
