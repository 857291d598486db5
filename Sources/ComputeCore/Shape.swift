/// The extent of each axis of a dense, row-major tensor; the last axis varies fastest.
public struct Shape: Hashable, Sendable, CustomStringConvertible, ExpressibleByArrayLiteral {
    /// Extents from the slowest to the fastest axis; empty for a scalar.
    public let dimensions: [Int]

    /// A shape with the given extents.
    public init(_ dimensions: [Int]) {
        self.dimensions = dimensions
    }

    /// A shape with the given extents.
    public init(arrayLiteral elements: Int...) {
        self.init(elements)
    }

    /// The number of axes.
    public var rank: Int { dimensions.count }

    /// The product of the extents; 1 for a scalar. Valid only if ``checkedElementCount`` is not nil.
    public var elementCount: Int { dimensions.reduce(1, *) }

    /// The product of the extents, or nil if an extent is negative or the product overflows.
    public var checkedElementCount: Int? {
        var count = 1
        for extent in dimensions {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard extent >= 0, !overflow else { return nil }
            count = product
        }
        return count
    }

    /// The extent of `axis`; negative values count from the end, -1 being the last.
    public subscript(axis: Int) -> Int {
        dimensions[axis < 0 ? dimensions.count + axis : axis]
    }

    /// The extents in brackets, such as `[2, 512, 64]`.
    public var description: String {
        "[" + dimensions.map(String.init).joined(separator: ", ") + "]"
    }
}

/// The type of a tensor's elements on every backend.
public enum ElementType: Hashable, Sendable {
    case float32
    case int32

    /// Bytes of one element.
    public var byteCount: Int { 4 }
}
