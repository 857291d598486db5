/// The norm of all gradients together and the factor that clips it.
///
/// output = [min(1, maximum / norm), norm], norm = √(Σ over tensors and elements of gradient²).
///
/// Source: Pascanu et al., arXiv 1211.5063. A NaN among the gradients makes both NaN. A device may square in float32, where an
/// element above 1.8·10¹⁹ makes the norm infinite and the factor 0.
public struct GradientNorm: Operation {
    public static let name = "gradient_norm"

    /// The gradients, of any shapes.
    public let gradients: [Tensor]
    /// The norm above which gradients are scaled down; positive, infinity for no clipping.
    public let maximum: Float
    /// Factor and norm, [2].
    public let output: Tensor

    /// Describes a norm.
    public init(gradients: [Tensor], maximum: Float, output: Tensor) {
        self.gradients = gradients
        self.maximum = maximum
        self.output = output
    }

    public var operands: [Operand] {
        gradients.enumerated().map { Operand("gradients[\($0.offset)]", $0.element, .read, layouts: .float32) }
            + [Operand("output", output, .write)]
    }

    public var work: Work { Work(flops: 2 * gradients.reduce(0) { $0 + $1.shape.elementCount }, bytes: traffic()) }

    public func validate() throws(ValidationError) {
        try validator.require(!gradients.isEmpty, "gradients", "at least one", "none")
        for gradient in gradients {
            try validator.require(gradient.elementType == .float32, "gradients", "float32", "\(gradient.elementType)")
            try validator.require(
                gradient.shape.elementCount > 0, "gradients", "at least one element", "\(gradient.shape)")
        }
        try validator.require(maximum > 0, "maximum", "a positive number", "\(maximum)")
        try validator.require(output, "output", is: [2])
    }
}
