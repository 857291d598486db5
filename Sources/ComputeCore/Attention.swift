/// Full (unmasked) multi-head self-attention with rotary positions. For each head, with q̂ and k̂ the rotated q and k,
///
/// y[s] = Σ_t softmax_t(q̂[s] · k̂[t] / √d) · v[t].
///
/// Rotary, half-split form: the pair (x_i, x_{i+d/2}) turns by s · θ^(−2i/d). B samples, S positions, D = H·d
/// features, H heads. Scores are never stored as [S, S]. Sources: arXiv 1706.03762, 2104.09864, 1805.02867.
/// A NaN in q spoils its own row; a NaN in k or v spoils every row of its head.
public struct Attention: Operation {
    public static let name = "attention"

    /// Queries, keys and values side by side, [B, S, 3·D]; a head's features lie together.
    public let projections: Tensor
    /// H.
    public let headCount: Int
    /// θ, the base of the rotary frequencies.
    public let rotaryBase: Float
    /// Type of the factors of both products.
    public let precision: Precision
    /// y [B, S, D].
    public let output: Tensor
    /// Where ln Σ_t exp(score) goes, [B, H, S], if a backward pass will want it.
    public let logSumExp: Tensor?

    /// Describes an attention layer.
    public init(
        projections: Tensor, headCount: Int, rotaryBase: Float, precision: Precision = .float32, output: Tensor,
        logSumExp: Tensor? = nil
    ) {
        self.projections = projections
        self.headCount = headCount
        self.rotaryBase = rotaryBase
        self.precision = precision
        self.output = output
        self.logSumExp = logSumExp
    }

    /// d, the features of one head.
    public var headWidth: Int { output.shape[2] / headCount }

    public var operands: [Operand] {
        var operands = [Operand("projections", projections, .read), Operand("output", output, .write)]
        if let logSumExp { operands.append(Operand("logSumExp", logSumExp, .write)) }
        return operands
    }

    public var work: Work {
        Work(flops: 4 * output.shape.elementCount * output.shape[1], bytes: 16 * output.shape.elementCount)
    }

    public func validate() throws(ValidationError) {
        try validator.require(output, "output", rank: 3)
        let (batch, length, features) = (output.shape[0], output.shape[1], output.shape[2])
        try validator.require(
            headCount > 0 && features % headCount == 0 && features / headCount % 2 == 0, "headCount",
            "a divisor of \(features) that leaves even heads", "\(headCount)")
        try validator.require(
            headWidth <= Self.maximumHeadWidth, "headCount", "heads of at most \(Self.maximumHeadWidth) features",
            "\(headWidth)")
        try validator.require(rotaryBase > 0 && rotaryBase.isFinite, "rotaryBase", "a positive number", "\(rotaryBase)")
        try validator.require(projections, "projections", is: [batch, length, 3 * features])
        if let logSumExp { try validator.require(logSumExp, "logSumExp", is: [batch, headCount, length]) }
    }

    /// The widest head that the kernels keep in registers.
    public static let maximumHeadWidth = 128
}
