public import ComputeCore

/// The element of an output that lies farthest from the reference, in units of 2⁻²⁴ of its magnitude.
public struct Comparison: Sendable, CustomStringConvertible {
    /// |x − r| / (2⁻²⁴ · m) of the worst element; infinite where only one side is NaN.
    public private(set) var worst = 0.0
    /// Where the worst element is, and both values.
    public private(set) var place = "none"
    /// The largest reference value, to show that the comparison is not vacuous.
    public private(set) var largest = 0.0

    /// The worst element, as `logits[17]: 0.25 against 0.5`.
    public var description: String { place }

    /// Compares every output of an instance, except for the elements that a near-tie leaves open.
    ///
    /// - Throws: ``ValidationError`` if an output has another type than the reference's.
    public init(
        _ found: [String: HostTensor], against expected: [String: HostTensor], magnitudes: [String: [Double]],
        except open: Set<Int> = []
    ) throws(ValidationError) {
        for (name, reference) in expected.sorted(by: { $0.key < $1.key }) {
            guard let value = found[name], value.shape == reference.shape else {
                throw ValidationError(
                    operation: "comparison", argument: name, expected: "\(reference.shape)",
                    found: found[name].map { "\($0.shape)" } ?? "no such output")
            }
            switch reference.values {
            case .int32(let expected): compare(name, try value.integers(), expected, open)
            case .float32(let expected): compare(name, try value.floats(), expected, magnitudes[name], open)
            }
        }
    }

    private mutating func compare(_ name: String, _ found: [Int32], _ expected: [Int32], _ open: Set<Int>) {
        for (index, (x, r)) in zip(found, expected).enumerated() where !open.contains(index) {
            largest = max(largest, abs(Double(r)))
            if x != r { note(.infinity, "\(name)[\(index)]: \(x) against \(r)") }
        }
    }

    private mutating func compare(
        _ name: String, _ found: [Float], _ expected: [Float], _ magnitudes: [Double]?, _ open: Set<Int>
    ) {
        for (index, (x, r)) in zip(found, expected).enumerated() where !open.contains(index) {
            if r.isFinite { largest = max(largest, abs(Double(r))) }
            let place = "\(name)[\(index)]: \(x) against \(r)"
            if x.isNaN != r.isNaN { note(.infinity, place) }
            // OpenCL lets a device flush what lies below the least normal number.
            let least = Double(Float.leastNormalMagnitude)
            guard x != r, !r.isNaN, !(abs(Double(x) - Double(r)) <= least) else { continue }
            let magnitude = max(magnitudes?[index] ?? abs(Double(r)), least)
            note(abs(Double(x) - Double(r)) / (0x1p-24 * magnitude), place)
        }
    }

    private mutating func note(_ error: Double, _ place: String) {
        guard !(error <= worst) else { return }
        worst = error.isNaN ? .infinity : error
        self.place = place
    }
}
