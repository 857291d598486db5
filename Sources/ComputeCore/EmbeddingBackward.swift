/// The gradient of ``Embedding``: dtable[v] += Σ dy[b, l] over the positions with tokens[b, l] = v.
///
/// B samples, L tokens, V rows, E columns. Positions are added in ascending order, without atomics, so the same bits come
/// out every time. An id outside 0..<V adds to nothing.
///
/// A NaN or an infinity in dy reaches the row of its token, and no other.
public struct EmbeddingBackward: Operation {
    public static let name = "embedding_backward"

    /// The look-up; its tokens are read.
    public let forward: Embedding
    /// dy [B, L, E].
    public let outputGradient: Tensor
    /// dtable [V, E], added to.
    public let tableGradient: Tensor

    /// Describes the gradient of a look-up.
    public init(forward: Embedding, outputGradient: Tensor, tableGradient: Tensor) {
        self.forward = forward
        self.outputGradient = outputGradient
        self.tableGradient = tableGradient
    }

    public var operands: [Operand] {
        [
            Operand("tokens", forward.tokens, .read), Operand("outputGradient", outputGradient, .read),
            Operand("tableGradient", tableGradient, .update),
        ]
    }

    public var work: Work { Work(flops: outputGradient.shape.elementCount, bytes: traffic()) }

    public func validate() throws(ValidationError) {
        try forward.validate()
        try validator.require(outputGradient, "outputGradient", is: forward.output.shape)
        try validator.require(tableGradient, "tableGradient", is: forward.table.shape)
    }
}

extension Embedding: Differentiable {
    public func recordBackward(into tape: inout GradientTape) throws(ValidationError) {
        guard let dy = try tape.gradient(of: output) else { return }
        try tape.append(
            EmbeddingBackward(
                forward: self, outputGradient: dy, tableGradient: tape.parameterGradient(of: table)))
    }
}
