/// The sum of all elements: output[0] = Σ values, to a bit or two however many there are.
///
/// A NaN makes the sum NaN, an infinity makes it infinite or NaN.
public struct SumValues: Operation {
    public static let name = "sum_values"

    /// The terms, of any shape.
    public let values: Tensor
    /// The sum, [1].
    public let output: Tensor

    /// Describes a sum.
    public init(values: Tensor, output: Tensor) {
        self.values = values
        self.output = output
    }

    public var operands: [Operand] { [Operand("values", values, .read), Operand("output", output, .write)] }

    public var work: Work { Work(flops: values.shape.elementCount, bytes: traffic()) }

    public func validate() throws(ValidationError) {
        try validator.require(values.elementType == .float32, "values", "float32", "\(values.elementType)")
        try validator.require(output, "output", is: [1])
    }
}
