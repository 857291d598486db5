/// The few integers that change from one reverse step to the next, as they lie in an int32 tensor on the device.
///
/// Keeping them in a tensor lets one compiled plan serve every step, seed and batch of samples.
public struct StepParameters: Hashable, Sendable {
    /// Index of the reverse step; part of every draw's counter.
    public var step: Int32
    /// Number of the batch's first sample; part of every draw's counter.
    public var firstSample: Int32
    /// The seed of every draw.
    public var seed: UInt64
    /// A masked position is revealed if its draw is below this, see ``Philox/threshold(probability:)``.
    public var revealThreshold: UInt64
    /// How many positions of each sample ``Reveal/Rule/confidence`` reveals.
    public var revealCount: Int32

    /// The parameters of one step.
    public init(
        step: Int32, firstSample: Int32 = 0, seed: UInt64, revealThreshold: UInt64 = 1 << 32, revealCount: Int32 = 0
    ) {
        self.step = step
        self.firstSample = firstSample
        self.seed = seed
        self.revealThreshold = revealThreshold
        self.revealCount = revealCount
    }

    /// The shape of the tensor.
    public static let shape: Shape = [8]

    /// The integers in the order in which kernels read them; 64-bit values low word first.
    public var words: [Int32] {
        func halves(_ value: UInt64) -> [Int32] {
            [Int32(truncatingIfNeeded: value), Int32(truncatingIfNeeded: value >> 32)]
        }
        return [step, firstSample] + halves(seed) + halves(revealThreshold) + [revealCount, 0]
    }

    /// Parameters from ``words``.
    public init(words: [Int32]) {
        func join(_ low: Int32, _ high: Int32) -> UInt64 {
            UInt64(UInt32(bitPattern: low)) | UInt64(UInt32(bitPattern: high)) << 32
        }
        self.init(
            step: words[0], firstSample: words[1], seed: join(words[2], words[3]),
            revealThreshold: join(words[4], words[5]), revealCount: words[6])
    }
}
