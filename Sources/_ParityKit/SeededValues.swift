import ComputeCore
import Foundation

/// Repeatable inputs in the ranges that the model really produces.
public struct SeededValues: Sendable {
    private let seed: UInt64
    private var stream: UInt32 = 0

    /// Values named by a seed; every call of a method starts a stream of its own.
    public init(seed: UInt64) {
        self.seed = seed
    }

    /// Uniform in `range`.
    public mutating func uniform(_ count: Int, in range: ClosedRange<Double>) -> [Float] {
        stream += 1
        return (0..<count).map { i in Float(range.lowerBound + unit(i, 0) * (range.upperBound - range.lowerBound)) }
    }

    /// Normal with the given spread; one value in 64 is an outlier, `outlier` times as large.
    ///
    /// Without outliers a softmax over random scores is nearly uniform and a test of it says little.
    public mutating func normal(_ count: Int, spread: Double = 1, outlier: Double = 6) -> [Float] {
        stream += 1
        return (0..<count).map { i in
            let z = (-2 * log(unit(i, 0))).squareRoot() * cos(2 * .pi * unit(i, 1))
            return Float(spread * z * (unit(i, 2) < 1 / 64 ? outlier : 1))
        }
    }

    /// Integers in `range`.
    public mutating func integers(_ count: Int, in range: Range<Int32>) -> [Int32] {
        stream += 1
        return (0..<count).map { range.lowerBound + Int32(unit($0, 0) * Double(range.count)) }
    }

    private func unit(_ index: Int, _ part: UInt32) -> Double {
        let draw = Philox.draw(
            seed: seed, purpose: .initialise, position: UInt32(index), step: stream, sample: part)
        return (Double(draw) + 0.5) * 0x1p-32
    }
}
