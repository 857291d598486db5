import ComputeCore

extension Precision {
    /// Factors as they enter a product of this precision.
    func round(_ values: [Float]) -> [Float] {
        switch self {
        case .float32: values
        case .bfloat16: values.map(\.roundedToBFloat16)
        }
    }

    /// A factor as it enters a product of this precision.
    func round(_ x: Double) -> Double {
        switch self {
        case .float32: x
        case .bfloat16: Double(Float(x).roundedToBFloat16)
        }
    }
}

extension Float {
    /// The nearest bfloat16, ties to even, a denormal number being taken as a zero of its sign; NaN stays NaN.
    var roundedToBFloat16: Float {
        if isNaN { return self }
        if isSubnormal { return Float(sign: sign, exponent: 0, significand: 0) }
        return Float(bitPattern: (bitPattern &+ 0x7FFF &+ ((bitPattern >> 16) & 1)) & 0xFFFF_0000)
    }
}
