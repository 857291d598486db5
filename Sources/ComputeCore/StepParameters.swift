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
        [step, firstSample] + seed.halfWords + revealThreshold.halfWords + [revealCount, 0]
    }

    /// Parameters from ``words``.
    public init(words: [Int32]) {
        self.init(
            step: words[0], firstSample: words[1], seed: UInt64(low: words[2], high: words[3]),
            revealThreshold: UInt64(low: words[4], high: words[5]), revealCount: words[6])
    }

    /// The integer drawn for one position of sample `sample` of the batch.
    public func draw(_ purpose: Philox.Purpose, position: Int, sample: Int) -> UInt32 {
        Philox.draw(
            seed: seed, purpose: purpose, position: UInt32(position), step: UInt32(bitPattern: step),
            sample: UInt32(bitPattern: firstSample) &+ UInt32(sample))
    }
}

extension UInt64 {
    /// The number as it lies in int32 tensors, low word first.
    package var halfWords: [Int32] { [Int32(truncatingIfNeeded: self), Int32(truncatingIfNeeded: self >> 32)] }

    /// A number from ``halfWords``.
    package init(low: Int32, high: Int32) {
        self = UInt64(UInt32(bitPattern: low)) | UInt64(UInt32(bitPattern: high)) << 32
    }
}
