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

    /// x · Φ(x), Φ the normal distribution function; its limit 0 at −∞.
    static func gelu(_ x: Double) -> Double { x == -.infinity ? 0 : 0.5 * x * (1 + erf(x * 0.5.squareRoot())) }

    /// max(x, 0), NaN for NaN.
    static func relu(_ x: Double) -> Double { x < 0 ? 0 : x }

    /// The derivative of ``silu(_:)``.
    static func siluSlope(_ x: Double) -> Double { sigmoid(x) * (1 + x * (1 - sigmoid(x))) }

    /// The derivative of ``gelu(_:)``: Φ(x) + x · φ(x).
    static func geluSlope(_ x: Double) -> Double {
        0.5 * (1 + erf(x * 0.5.squareRoot())) + x * exp(-0.5 * x * x) / (2 * .pi).squareRoot()
    }
}

extension Activation {
    func callAsFunction(_ x: Double) -> Double {
        switch self {
        case .none: x
        case .relu: Scalar.relu(x)
        case .gelu: Scalar.gelu(x)
        }
    }

    /// The derivative, from the output or from the input as ``slopeIsOfOutput`` tells.
    func slope(_ saved: Double) -> Double {
        switch self {
        case .none: 1
        case .relu: saved > 0 ? 1 : 0
        case .gelu: Scalar.geluSlope(saved)
        }
    }
}
