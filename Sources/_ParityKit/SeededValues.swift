import ComputeCore
import Foundation

/// Repeatable inputs in the ranges that the model really produces, or in those that a kernel might have forgotten.
public struct SeededValues: Sendable {
    /// What ``normal(_:spread:outlier:)`` returns.
    public enum Kind: String, Sendable, CaseIterable {
        /// Normal values with some outliers, as in the model.
        case model
        /// One value in eight is a thousand times as large.
        case outliers
        /// Half of the values are below 2⁻¹²⁶, where floats lose bits one by one.
        case denormal
        /// One value for all.
        case equal
        /// Half of the values are 0 or −0.
        case sparse
        /// A third of the values mask what they stand for: −10⁹, the least float or −∞.
        case masks
        /// A few values are NaN.
        case undefined
        /// A few values are NaN, ∞ or −∞.
        case nonFinite
    }

    /// Names the values.
    public let seed: UInt64
    /// What the values look like.
    public let kind: Kind
    private var stream: UInt32 = 0

    /// Values named by a seed; every call of a method starts a stream of its own.
    public init(seed: UInt64, kind: Kind = .model) {
        self.seed = seed
        self.kind = kind
    }

    /// Uniform in `range`.
    public mutating func uniform(_ count: Int, in range: ClosedRange<Double>) -> [Float] {
        stream += 1
        return (0..<count).map { i in Float(range.lowerBound + unit(i, 0) * (range.upperBound - range.lowerBound)) }
    }

    /// Normal with the given spread; one value in 64 is an outlier, `outlier` times as large.
    ///
    /// Without outliers a softmax over random scores is nearly uniform and a test of it says little. Where a NaN or an
    /// infinity says nothing, `isFinite` leaves them out.
    public mutating func normal(
        _ count: Int, spread: Double = 1, outlier: Double = 6, isFinite: Bool = false
    ) -> [Float] {
        stream += 1
        return (0..<count).map { i in
            let i = kind == .equal ? 0 : i
            let z = (-2 * log(unit(i, 0))).squareRoot() * cos(2 * .pi * unit(i, 1))
            let value = Float(spread * z * (unit(i, 2) < 1 / 64 ? outlier : 1))
            return isFinite && [.undefined, .nonFinite].contains(kind) ? value : unusual(value, i)
        }
    }

    /// Integers in `range`.
    public mutating func integers(_ count: Int, in range: Range<Int32>) -> [Int32] {
        stream += 1
        return (0..<count).map { range.lowerBound + Int32(unit($0, 0) * Double(range.count)) }
    }

    /// What the kind makes of a value.
    private func unusual(_ value: Float, _ index: Int) -> Float {
        let u = unit(index, 3)
        switch kind {
        case .model, .equal: return value
        case .outliers: return u < 1 / 8 ? 1000 * value : value
        case .denormal: return u < 1 / 2 ? value * 0x1p-130 : value
        case .sparse: return u < 1 / 4 ? 0 : u < 1 / 2 ? -0.0 : value
        case .masks: return u < 1 / 9 ? -1e9 : u < 2 / 9 ? -.greatestFiniteMagnitude : u < 1 / 3 ? -.infinity : value
        case .undefined: return u < 1 / 96 ? .nan : value
        case .nonFinite: return u < 1 / 192 ? .nan : u < 1 / 96 ? .infinity : u < 1 / 64 ? -.infinity : value
        }
    }

    private func unit(_ index: Int, _ part: UInt32) -> Double {
        let draw = Philox.draw(
            seed: seed, purpose: .initialise, position: UInt32(index), step: stream, sample: part)
        return (Double(draw) + 0.5) * 0x1p-32
    }
}
