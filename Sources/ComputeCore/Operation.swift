/// One step of a ``Plan``: what is computed, from which tensors, into which tensors. It holds no data and knows no device.
///
/// A backend executes an operation type by extending it in a file of the same name; an operation that a backend does
/// not extend is refused when a plan is compiled for that backend, never while it runs.
public protocol Operation: Sendable {
    /// The stem of the operation in every layer, such as `selective_scan`.
    static var name: String { get }
    /// Every tensor that is touched, with its argument name.
    var operands: [Operand] { get }
    /// Arithmetic and compulsory memory traffic.
    var work: Work { get }

    /// Checks that the arguments fit together.
    ///
    /// - Throws: ``ValidationError`` that names the first argument that does not fit.
    func validate() throws(ValidationError)
}

extension Operation {
    /// The stem of the operation.
    public var name: String { Self.name }

    var validator: Validator { Validator(operation: Self.name) }

    /// Compulsory traffic: every operand once in and once out where it is written.
    func traffic() -> Int {
        operands.reduce(0) { $0 + $1.tensor.shape.elementCount * $1.tensor.elementType.byteCount }
    }
}

/// A tensor in the role that it plays in an ``Operation``.
public struct Operand: Hashable, Sendable {
    /// What an operation does to an operand.
    public enum Access: Hashable, Sendable {
        /// The values are needed and stay.
        case read
        /// Every element is overwritten; nothing is read.
        case write
        /// The values are needed and change.
        case update
    }

    /// The argument's name in the descriptor.
    public let name: String
    /// The tensor.
    public let tensor: Tensor
    /// What happens to it.
    public let access: Access

    /// An operand.
    public init(_ name: String, _ tensor: Tensor, _ access: Access) {
        self.name = name
        self.tensor = tensor
        self.access = access
    }
}

/// What an operation costs, counted from its shapes.
public struct Work: Hashable, Sendable {
    /// Floating-point operations; a fused multiply-add counts as two, a transcendental function as one.
    public var flops: Int
    /// Bytes that must move even with a perfect cache.
    public var bytes: Int

    /// A cost.
    public init(flops: Int, bytes: Int) {
        self.flops = flops
        self.bytes = bytes
    }
}
