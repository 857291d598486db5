/// Copies or adds columns of one tensor to columns of another: target = source, or target += source.
///
/// M rows, N columns. Copied bit for bit, NaN included.
public struct CopyRows: Operation {
    public static let name = "copy_rows"

    /// What is copied, [M, N].
    public let source: MatrixView
    /// Where to, [M, N].
    public let target: MatrixView
    /// Whether the target is added to.
    public let accumulates: Bool

    /// Describes a copy or an addition.
    public init(source: MatrixView, target: MatrixView, accumulates: Bool) {
        self.source = source
        self.target = target
        self.accumulates = accumulates
    }

    public var operands: [Operand] {
        [
            Operand("source", source, .read), Operand("target", target, accumulates ? .update : .write),
        ]
    }

    public var work: Work {
        let count = source.rows * source.columns
        return Work(flops: accumulates ? count : 0, bytes: (accumulates ? 12 : 8) * count)
    }

    public func validate() throws(ValidationError) {
        try validator.require(source, "source", rows: source.rows, columns: source.columns)
        try validator.require(target, "target", rows: source.rows, columns: source.columns)
    }
}
