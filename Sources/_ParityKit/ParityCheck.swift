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
        /// Whether the reference's outputs are nothing but zeros.
        public var isVacuous: Bool { comparison.largest == 0 }
        /// Marks of near-ties that differ from the reference's.
        public let strayMarks: Int
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
        var (strayMarks, marksAllowed) = (0, 0)
        if let openElements = instance.openElements,
            let marks = try expected.removeValue(forKey: ParityInstance.marks)?.integers()
        {
            open = openElements(marks)
            // A draw between classes moves all that follow in its sample. A distance close to 10⁻⁵ is rounded to either side.
            let moved = openElements(marks.map { $0 & 2 })
            let device = try found[ParityInstance.marks]?.integers() ?? []
            strayMarks = marks.indices.count { !moved.contains($0) && device[$0] != marks[$0] }
            marksAllowed = 1 + marks.count / 1024
        }
        let comparison = try Comparison(found, against: expected, magnitudes: instance.magnitudes, except: open)
        let damaged = try (executable as? any MarginCheck)?.damagedMargins() ?? 0
        return Outcome(
            comparison: comparison, damagedMargins: damaged, openCount: open.count, strayMarks: strayMarks,
            isPassed: comparison.worst <= tolerance && damaged == 0 && strayMarks <= marksAllowed)
    }
}
