import ComputeCore
public import OpenCLBackend
import ReferenceBackend

extension ParityCase {
    /// What became of a case on a device.
    public struct Outcome: Sendable {
        /// How far the device is from the reference.
        public let comparison: Comparison
        /// Words between tensors that a kernel changed.
        public let damagedMargins: Int
        /// Elements that were not compared because a draw came too near to a boundary.
        public let openCount: Int
        /// Whether the reference's outputs are more than zeros.
        public var isVacuous: Bool { comparison.largest == 0 }
        /// Whether the case passes.
        public let isPassed: Bool
    }

    /// Runs the case on `backend` and on the reference.
    ///
    /// - Throws: what a backend throws.
    public func check(on backend: OpenCLBackend, seed: UInt64) throws -> Outcome {
        let instance = try make(seed)
        var expected = try instance.run(on: ReferenceBackend()).outputs
        let (found, executable) = try instance.run(on: backend)
        var open: Set<Int> = []
        if let openElements = instance.openElements, let marks = expected.removeValue(forKey: ParityInstance.marks) {
            open = try openElements(marks.integers())
        }
        let comparison = try Comparison(found, against: expected, magnitudes: instance.magnitudes, except: open)
        let damaged = try (executable as? any MarginCheck)?.damagedMargins() ?? 0
        return Outcome(
            comparison: comparison, damagedMargins: damaged, openCount: open.count,
            isPassed: comparison.worst <= tolerance && damaged == 0)
    }
}
