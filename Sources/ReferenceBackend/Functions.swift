import ComputeCore
import Foundation

/// The scalar functions of the model, in Double.
enum Scalar {
    /// 1 / (1 + e⁻ˣ).
    static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

    /// x · sigmoid(x).
    static func silu(_ x: Double) -> Double { x * sigmoid(x) }

    /// ln(1 + eˣ), taken as x above 20.
    static func softplus(_ x: Double) -> Double { x > 20 ? x : log1p(exp(x)) }

    /// x · Φ(x), Φ the normal distribution function.
    static func gelu(_ x: Double) -> Double { 0.5 * x * (1 + erf(x * 0.5.squareRoot())) }

    /// max(x, 0), NaN for NaN.
    static func relu(_ x: Double) -> Double { x < 0 ? 0 : x }
}

extension Activation {
    func callAsFunction(_ x: Double) -> Double {
        switch self {
        case .none: x
        case .relu: Scalar.relu(x)
        case .gelu: Scalar.gelu(x)
        }
    }
}
