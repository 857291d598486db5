/// A tensor in host memory: what goes into and comes out of a backend.
public struct HostTensor: Sendable, Equatable {
    /// The elements, row-major.
    public enum Values: Sendable, Equatable {
        case float32([Float])
        case int32([Int32])
    }

    /// The extents.
    public let shape: Shape
    /// The elements.
    public let values: Values

    /// A float tensor.
    ///
    /// - Throws: ``ValidationError`` if the number of elements is not that of the shape.
    public init(_ shape: Shape, _ values: [Float]) throws(ValidationError) {
        try Self.check(shape, values.count)
        self.shape = shape
        self.values = .float32(values)
    }

    /// An integer tensor.
    ///
    /// - Throws: ``ValidationError`` if the number of elements is not that of the shape.
    public init(_ shape: Shape, _ values: [Int32]) throws(ValidationError) {
        try Self.check(shape, values.count)
        self.shape = shape
        self.values = .int32(values)
    }

    /// The elements of a parameter on its way to a backend, zeros where it names none.
    public init(_ source: ParameterSource) {
        shape = source.shape
        values = .float32(source.values ?? [Float](repeating: 0, count: source.shape.elementCount))
    }

    /// The type of the elements.
    public var elementType: ElementType {
        switch values {
        case .float32: .float32
        case .int32: .int32
        }
    }

    /// The elements as floats.
    ///
    /// - Throws: ``ValidationError`` for an integer tensor.
    public func floats() throws(ValidationError) -> [Float] {
        guard case .float32(let values) = values else { throw mismatch(.float32) }
        return values
    }

    /// The elements as integers.
    ///
    /// - Throws: ``ValidationError`` for a float tensor.
    public func integers() throws(ValidationError) -> [Int32] {
        guard case .int32(let values) = values else { throw mismatch(.int32) }
        return values
    }

    private func mismatch(_ wanted: ElementType) -> ValidationError {
        ValidationError(operation: "host tensor", argument: "values", expected: "\(wanted)", found: "\(elementType)")
    }

    private static func check(_ shape: Shape, _ count: Int) throws(ValidationError) {
        guard shape.checkedElementCount == count else {
            throw ValidationError(
                operation: "host tensor", argument: "values", expected: "as many as \(shape) holds",
                found: "\(count)")
        }
    }
}
