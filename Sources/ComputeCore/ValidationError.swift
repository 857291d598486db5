/// An operation was described with arguments that do not fit together.
public struct ValidationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Name of the operation, such as `selective_scan`.
    public let operation: String
    /// Name of the offending argument.
    public let argument: String
    /// What the argument had to be.
    public let expected: String
    /// What it was.
    public let found: String

    /// An error about one argument of one operation.
    public init(operation: String, argument: String, expected: String, found: String) {
        self.operation = operation
        self.argument = argument
        self.expected = expected
        self.found = found
    }

    /// One line: `selective_scan: u: expected [2, 64, 32], found [2, 63, 32]`.
    public var description: String { "\(operation): \(argument): expected \(expected), found \(found)" }
}

/// Collects the checks that ``Operation/validate()`` makes about one operation.
struct Validator {
    let operation: String

    func require(
        _ condition: Bool, _ argument: String, _ expected: @autoclosure () -> String, _ found: @autoclosure () -> String
    ) throws(ValidationError) {
        guard condition else {
            throw ValidationError(operation: operation, argument: argument, expected: expected(), found: found())
        }
    }

    /// `tensor` has exactly `shape` and the given element type.
    func require(
        _ tensor: Tensor, _ argument: String, is shape: Shape, of elementType: ElementType = .float32
    ) throws(ValidationError) {
        try require(tensor.shape == shape, argument, "\(shape)", "\(tensor.shape)")
        try require(tensor.elementType == elementType, argument, "\(elementType)", "\(tensor.elementType)")
    }

    /// `tensor` has `rank` axes, none of them empty.
    func require(
        _ tensor: Tensor, _ argument: String, rank: Int, of elementType: ElementType = .float32
    ) throws(ValidationError) {
        try require(tensor.shape.rank == rank, argument, "\(rank) axes", "\(tensor.shape)")
        try require(tensor.shape.dimensions.allSatisfy { $0 > 0 }, argument, "no empty axis", "\(tensor.shape)")
        try require(tensor.elementType == elementType, argument, "\(elementType)", "\(tensor.elementType)")
    }

    /// `view` is a float matrix of `rows` × `columns` that lies inside its tensor.
    func require(_ view: MatrixView, _ argument: String, rows: Int, columns: Int) throws(ValidationError) {
        try require(view.isInside, argument, "columns inside \(view.tensor.shape)", "\(view.columnRange)")
        try require(
            view.rows == rows && view.columns == columns, argument, "[\(rows), \(columns)]",
            "[\(view.rows), \(view.columns)]")
        try require(view.tensor.elementType == .float32, argument, "float32", "\(view.tensor.elementType)")
    }
}
