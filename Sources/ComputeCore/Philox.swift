/// Philox4x32-10, the counter-based generator behind every random number of the project.
///
/// The output depends on (key, counter) alone, so a draw is named by what it is for and never by who makes it; the same
/// integers come out of every backend. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
public enum Philox {
    /// One block: ten rounds over a 128-bit counter under a 64-bit key.
    public static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var x = counter
        var k = key
        for _ in 0..<10 {
            let a = UInt64(x.x) * 0xD251_1F53
            let b = UInt64(x.z) * 0xCD9E_8D57
            x = SIMD4(
                UInt32(truncatingIfNeeded: b >> 32) ^ x.y ^ k.x, UInt32(truncatingIfNeeded: b),
                UInt32(truncatingIfNeeded: a >> 32) ^ x.w ^ k.y, UInt32(truncatingIfNeeded: a))
            k = SIMD2(k.x &+ 0x9E37_79B9, k.y &+ 0xBB67_AE85)
        }
        return x
    }

    /// What a draw is for; the last word of the counter.
    public enum Purpose: UInt32, Sendable, CaseIterable {
        /// Whether a position is revealed in a step.
        case reveal = 0
        /// The time at which a position is revealed.
        case revealTime = 1
        /// The token that a position gets.
        case token = 2
        /// Whether a token is masked for training.
        case corrupt = 3
        /// The diffusion time of a training sample.
        case trainTime = 4
        /// The window of a piece that is trained on.
        case window = 5
        /// The transposition of a training piece.
        case transpose = 6
        /// Initial weights.
        case initialise = 7
        /// The cells of a piano roll.
        case roll = 8
    }

    /// The integer drawn at counter (position, step, sample, purpose) under a 64-bit seed, low word first.
    public static func draw(
        seed: UInt64, purpose: Purpose, position: UInt32, step: UInt32 = 0, sample: UInt32 = 0
    ) -> UInt32 {
        block(
            counter: SIMD4(position, step, sample, purpose.rawValue),
            key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        ).x
    }

    /// A draw in [0, 1) on a grid of 2⁻²⁴: (x >> 8) · 2⁻²⁴, exact in float32.
    public static func unit(_ draw: UInt32) -> Float {
        Float(draw >> 8) * 0x1p-24
    }

    /// The index ⌊draw · count / 2³²⌋ below `count`, each about as likely.
    public static func index(_ draw: UInt32, below count: Int) -> Int {
        Int((UInt64(draw) * UInt64(count)) >> 32)
    }

    /// The threshold t for which `draw < t` has the given probability, to the nearest 2⁻³²; certain at 1.
    ///
    /// The result may be 2³², which no 32-bit draw reaches, hence the wider type.
    public static func threshold(probability: Double) -> UInt64 {
        UInt64((min(max(probability, 0), 1) * 0x1p32).rounded())
    }
}
