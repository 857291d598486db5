extension ParityCase {
    /// Every case of every operation, in the order of a model's forward pass.
    public static let all: [ParityCase] =
        embedding + stridedConvolution + layerNorm + linear + causalConvolution + selectiveScan + attention
        + transposedConvolution + tokenDraw + grammarDraw + reveal + corrupt
}
