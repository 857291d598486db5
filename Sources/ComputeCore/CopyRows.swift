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
            Operand("source", source.tensor, .read),
            Operand(writing: target, as: "target", accumulates: accumulates),
        ]
    }

    public var work: Work {
        let count = source.rows * source.columns
        return Work(flops: accumulates ? count : 0, bytes: (accumulates ? 12 : 8) * count)
    }

    public func validate() throws(ValidationError) {
        try validator.require(source, "source", rows: source.rows, columns: source.columns)
        try validator.require(target, "target", rows: source.rows, columns: source.columns)
        try validator.require(target.tensor, isNot: source.tensor, "target")
    }
}

extension Operand {
    /// A view that is written: its tensor's other columns stay, so unless it is whole the tensor is updated.
    init(writing view: MatrixView, as name: String, accumulates: Bool = false) {
        let isWhole = view.columns == view.rowStride
        self.init(name, view.tensor, isWhole && !accumulates ? .write : .update)
    }
}
