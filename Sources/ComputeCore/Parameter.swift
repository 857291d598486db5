/// Names one parameter tensor of a model, or one of the tensors that training keeps beside it.
public struct ParameterKey: Hashable, Sendable, CustomStringConvertible {
    /// Which of the tensors that belong to a weight.
    public enum Slot: String, Hashable, Sendable, CaseIterable {
        /// The weight itself.
        case value
        /// Its gradient.
        case gradient
        /// AdamW's running mean of the gradient.
        case firstMoment
        /// AdamW's running mean of the squared gradient.
        case secondMoment
        /// The exponential moving average of the weight.
        case average
    }

    /// The weight's name in `model.safetensors`.
    public let name: String
    /// The tensor of that weight.
    public let slot: Slot

    /// A key.
    public init(_ name: String, _ slot: Slot = .value) {
        self.name = name
        self.slot = slot
    }

    /// The name, followed by the slot where it is not the value.
    public var description: String { slot == .value ? name : "\(name) (\(slot.rawValue))" }
}

/// How a parameter is used, from which a backend derives the one layout in which it keeps the parameter.
///
/// All slots of a weight share its layout, so element-wise updates need not know it.
public enum ParameterLayout: Hashable, Sendable, CaseIterable {
    /// Row-major, as declared.
    case plain
    /// [out, in], the right-hand side of a ``Linear`` of float32 factors.
    case matrix
    /// [out, in], the right-hand side of a ``Linear`` of bfloat16 factors; rounded where the backend keeps it so.
    case bfloat16Matrix
    /// [out, in, width], the kernel of a ``StridedConvolution``.
    case stridedConvolution
    /// [in, out, width], the kernel of a ``TransposedConvolution``.
    case transposedConvolution
}

extension ParameterLayout {
    /// The axes that a parameter of this layout has; any number if nil.
    var rank: Int? {
        switch self {
        case .plain: nil
        case .matrix, .bfloat16Matrix: 2
        case .stridedConvolution, .transposedConvolution: 3
        }
    }
}

extension Set<ParameterLayout> {
    /// Those of an operation that takes every element alike, wherever it lies.
    static let float32 = Set(ParameterLayout.allCases).subtracting([.bfloat16Matrix])
}
