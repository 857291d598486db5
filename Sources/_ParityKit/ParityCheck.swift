import ComputeCore
public import OpenCLBackend
import ReferenceBackend

extension ParityCase {
    /// What became of a case on a device.
    public struct Outcome: Sendable, CustomStringConvertible {
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
        /// Elements that had other bits in a second run on the device, which has to give the same: the sign of a race.
        public let unsteadyCount: Int
        /// How far the device may be from the reference.
        public let tolerance: Double

        /// Whether the case passes.
        public var isPassed: Bool {
            comparison.worst <= tolerance && damagedMargins == 0 && strayMarks <= Self.marksAllowed
                && unsteadyCount == 0
        }

        /// A distance so close to 10⁻⁵ that it is rounded to the other side: one among the 512 draws from 1000 ids of
        /// `tokenDraw` for every twentieth seed, and none among those of `grammarDraw` for sixty.
        private static let marksAllowed = 1

        /// One line with all that may have gone wrong.
        public var description: String {
            "\(comparison.worst) units against \(tolerance) at \(comparison), \(damagedMargins) words outside changed, "
                + "\(strayMarks) marks of near-ties differ, \(unsteadyCount) elements differ between two runs"
        }
    }

    /// Runs the case on `backend`, twice, and on the reference.
    ///
    /// - Throws: what a backend throws.
    public func check(on backend: OpenCLBackend, seed: UInt64) throws -> Outcome {
        let instance = try make(seed)
        var expected = try instance.run(on: ReferenceBackend()).outputs
        let compiled = try instance.compile(on: backend)
        let found = try compiled.run()
        // Buffers of their own are for simulated devices, which are slow and run one work-item after the other.
        let again = backend.isolation == .buffers ? found : try compiled.run()
        var open = ParityInstance.OpenDraws()
        var strayMarks = 0
        if let openDraws = instance.openDraws,
            let marks = try expected.removeValue(forKey: ParityInstance.marks)?.integers()
        {
            open = openDraws(marks)
            let device = try found[ParityInstance.marks]?.integers() ?? []
            strayMarks = marks.indices.count { (device[$0] ^ marks[$0]) & ~(open.bits[$0] ?? 0) != 0 }
        }
        let comparison = try Comparison(
            found, against: expected, magnitudes: instance.magnitudes, except: open.elements)
        let damaged = try (compiled.executable as? any MarginCheck)?.damagedMargins() ?? 0
        return Outcome(
            comparison: comparison, damagedMargins: damaged, openCount: open.elements.count, strayMarks: strayMarks,
            unsteadyCount: found.reduce(0) { $0 + $1.value.differingBits(from: again[$1.key]) }, tolerance: tolerance)
    }
}

extension HostTensor {
    /// The elements whose bits are not those of `other`, of the same shape and type; all of them if there is no such tensor.
    fileprivate func differingBits(from other: HostTensor?) -> Int {
        switch (values, other?.values) {
        case (.float32(let mine), .float32(let others)): zip(mine, others).count { $0.bitPattern != $1.bitPattern }
        case (.int32(let mine), .int32(let others)): zip(mine, others).count { $0 != $1 }
        default: shape.elementCount
        }
    }
}
