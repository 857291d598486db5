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
    /// The nearest bfloat16, ties to even; NaN stays NaN, and what is no normal number becomes a zero of its sign.
    var roundedToBFloat16: Float {
        guard !isNaN else { return self }
        guard !isSubnormal else { return Float(sign: sign, exponent: 0, significand: 0) }
        let bits = bitPattern
        return Float(bitPattern: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) & 0xFFFF_0000)
    }
}
