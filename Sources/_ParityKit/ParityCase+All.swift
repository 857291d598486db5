extension ParityCase {
    /// Every case of every operation, in the order of a model's forward pass.
    public static let all: [ParityCase] =
        embedding + stridedConvolution + layerNorm + linear + normalisedLinear + rounded + causalConvolution
        + selectiveScan + [forgettingScan] + attention + transposedConvolution
        + tokenDraw + grammarDraw + reveal + corrupt + cellDraw + binomialStep + backward

    /// Those of training, in the order of a model's backward pass.
    private static let backward: [ParityCase] =
        crossEntropy + binaryCrossEntropy + sumValues + linearBackward + transposedConvolutionBackward
        + attentionBackward + activate + activationBackward + selectiveScanBackward + causalConvolutionBackward
        + layerNormBackward + stridedConvolutionBackward + embeddingBackward + copyRows + gradientNorm + adamW
}
