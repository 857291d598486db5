/// Looks up a row of a table for each token: y[b, l, e] = table[tokens[b, l], e].
///
/// B samples, L tokens, V rows, E columns. An id outside 0..<V gives a row of NaN on every backend.
public struct Embedding: Operation {
    public static let name = "embedding"

    /// Token ids [B, L], int32.
    public let tokens: Tensor
    /// Table [V, E].
    public let table: Tensor
    /// Rows [B, L, E].
    public let output: Tensor

    /// Describes a look-up.
    public init(tokens: Tensor, table: Tensor, output: Tensor) {
        self.tokens = tokens
        self.table = table
        self.output = output
    }

    public var operands: [Operand] {
        [Operand("tokens", tokens, .read), Operand("table", table, .read), Operand("output", output, .write)]
    }

    public var work: Work { Work(flops: 0, bytes: (2 * output.shape.elementCount + tokens.shape.elementCount) * 4) }

    public func validate() throws(ValidationError) {
        try validator.require(tokens, "tokens", rank: 2, of: .int32)
        try validator.require(table, "table", rank: 2)
        try validator.require(output, "output", is: [tokens.shape[0], tokens.shape[1], table.shape[1]])
    }
}
