/// A handle to a tensor of a ``Plan``: which storage, seen with which shape.
///
/// A handle holds no data. Two handles with one ``storage`` are the same memory under two shapes.
public struct Tensor: Hashable, Sendable {
    /// Index of the tensor's storage in its plan.
    public let storage: Int
    /// The extents under which this handle sees the storage.
    public let shape: Shape
    /// The type of the elements.
    public let elementType: ElementType

    init(storage: Int, shape: Shape, elementType: ElementType) {
        self.storage = storage
        self.shape = shape
        self.elementType = elementType
    }

    /// The same storage under another shape with as many elements.
    ///
    /// - Throws: ``ValidationError`` if the element counts differ.
    public func reshaped(to shape: Shape) throws(ValidationError) -> Tensor {
        guard shape.checkedElementCount == self.shape.elementCount else {
            throw ValidationError(
                operation: "reshape", argument: "shape",
                expected: "\(self.shape.elementCount) elements as in \(self.shape)", found: "\(shape)")
        }
        return Tensor(storage: storage, shape: shape, elementType: elementType)
    }

    /// The whole tensor as a matrix whose rows are all axes but the last.
    public var matrix: MatrixView { columns(0..<(shape.dimensions.last ?? 0)) }

    /// Some columns of the tensor seen as a matrix.
    public func columns(_ range: Range<Int>) -> MatrixView { MatrixView(tensor: self, columnRange: range) }
}

/// A block of columns of a tensor seen as a matrix [rows, columns], all axes but the last being rows.
///
/// Views let one projection feed several operations without a copy: `in_proj` writes [x | z], and the
/// convolution reads the first half of its columns, the scan's gate the second.
public struct MatrixView: Hashable, Sendable {
    /// The tensor that is looked at; its rank is at least 1.
    public let tensor: Tensor
    /// The columns that are looked at.
    public let columnRange: Range<Int>

    /// Number of columns in the view.
    public var columns: Int { columnRange.count }
    /// Elements from one row to the next.
    public var rowStride: Int { tensor.shape.dimensions.last ?? 0 }
    /// Elements before the first one of the view.
    public var offset: Int { columnRange.lowerBound }
    /// Number of rows: the product of all axes but the last.
    public var rows: Int { tensor.shape.dimensions.dropLast().reduce(1, *) }
    /// Extent of the first axis where there are at least three, else 1: the samples of a batch.
    public var batch: Int { tensor.shape.rank >= 3 ? tensor.shape[0] : 1 }
    /// Rows of one sample. Kernel choices may depend on this and never on ``rows``.
    public var rowsPerSample: Int { batch == 0 ? 0 : rows / batch }

    var isInside: Bool {
        tensor.shape.rank >= 1 && columnRange.lowerBound >= 0 && columnRange.upperBound <= tensor.shape[-1]
    }
}
