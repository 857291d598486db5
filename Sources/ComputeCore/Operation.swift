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

    /// Compulsory traffic: every operand once in where it is read, and once out where it is written.
    func traffic() -> Int {
        operands.reduce(0) { bytes, operand in
            let ways = operand.access == .update ? 2 : 1
            return bytes + ways * operand.tensor.shape.elementCount * operand.tensor.elementType.byteCount
        }
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
    /// The layouts of which a parameter may be; a tensor that is none is ``ParameterLayout/plain``.
    public let layouts: Set<ParameterLayout>
    /// The argument whose memory this one may be, because each element is read before it is written.
    public let inPlaceOf: String?
    /// The argument of whose layout this one has to be, because elements meet where they lie.
    public let layoutOf: String?
    /// The columns that a view touches; nil for the whole tensor.
    private let columns: Range<Int>?

    /// An operand.
    public init(
        _ name: String, _ tensor: Tensor, _ access: Access, layouts: Set<ParameterLayout> = [.plain],
        inPlaceOf: String? = nil, layoutOf: String? = nil
    ) {
        self.name = name
        self.tensor = tensor
        self.access = access
        self.layouts = layouts
        self.inPlaceOf = inPlaceOf
        self.layoutOf = layoutOf
        columns = nil
    }

    /// A view. Where some columns of a tensor are written the others stay, so the tensor is updated.
    public init(_ name: String, _ view: MatrixView, _ access: Access) {
        self.name = name
        tensor = view.tensor
        self.access = access == .write && view.columns != view.rowStride ? .update : access
        layouts = [.plain]
        inPlaceOf = nil
        layoutOf = nil
        columns = view.columnRange
    }

    /// Whether an operation that touches both writes one over the other. Two that are written may be other columns of one
    /// tensor.
    func conflicts(with other: Operand) -> Bool {
        guard tensor.storage == other.tensor.storage, inPlaceOf != other.name, other.inPlaceOf != name else {
            return false
        }
        switch (access, other.access) {
        case (.read, .read): return false
        case (.read, _), (_, .read): return true
        default:
            guard let columns, let others = other.columns, tensor.shape == other.tensor.shape else { return true }
            return columns.overlaps(others)
        }
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
