/// NumPy's default generator, so that a seed cuts pieces where `numpy.random.default_rng(seed)` does.
///
/// PCG XSL-RR 128/64 (O'Neill 2014), seeded by NumPy's `SeedSequence`; bounded integers by Lemire's method (2019).
struct PCG64 {
    private var state: UInt128
    private let increment: UInt128
    /// The upper half of the last output: NumPy hands out 64 bits as two 32-bit numbers, the lower first.
    private var spare: UInt32?

    private static let multiplier: UInt128 = 0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645

    /// The generator that `numpy.random.default_rng(seed)` makes.
    init(seed: UInt32) {
        let words = Self.seedSequence(entropy: seed)
        increment = (UInt128(words[2]) << 64 | UInt128(words[3])) << 1 | 1
        state = increment &+ (UInt128(words[0]) << 64 | UInt128(words[1]))
        step()
    }

    private mutating func step() {
        state = state &* Self.multiplier &+ increment
    }

    private mutating func next64() -> UInt64 {
        step()
        let folded = UInt64(truncatingIfNeeded: state >> 64) ^ UInt64(truncatingIfNeeded: state)
        let turn = UInt64(truncatingIfNeeded: state >> 122)
        return folded >> turn | folded << ((64 &- turn) & 63)
    }

    private mutating func next32() -> UInt32 {
        if let spare {
            self.spare = nil
            return spare
        }
        let both = next64()
        spare = UInt32(truncatingIfNeeded: both >> 32)
        return UInt32(truncatingIfNeeded: both)
    }

    /// A number of 0..<`bound`, as `Generator.integers(bound)`; `bound` is at least 1 and below 2³².
    mutating func integer(below bound: Int) -> Int {
        guard bound > 1 else { return 0 }
        let width = UInt32(truncatingIfNeeded: bound)
        var product = UInt64(next32()) * UInt64(width)
        if UInt32(truncatingIfNeeded: product) < width {
            let threshold = (0 &- width) % width
            while UInt32(truncatingIfNeeded: product) < threshold {
                product = UInt64(next32()) * UInt64(width)
            }
        }
        return Int(product >> 32)
    }

    /// The set of indices that `Generator.choice(count, size, replace=False)` draws, without its order.
    ///
    /// NumPy shuffles the tail of a large range and otherwise uses Floyd's algorithm.
    mutating func sample(_ size: Int, of count: Int) -> [Int] {
        if count > 10_000, size > count / 50 {
            var indices = Array(0..<count)
            for last in stride(from: count - 1, through: max(count - size, 1), by: -1) {
                indices.swapAt(last, integer(below: last + 1))
            }
            return Array(indices.suffix(size))
        }
        var chosen: Set<Int> = []
        for last in count - size..<count {
            let drawn = integer(below: last + 1)
            chosen.insert(chosen.contains(drawn) ? last : drawn)
        }
        return chosen.sorted()
    }

    /// Four words of NumPy's `SeedSequence(entropy).generate_state(4, uint64)`, a pool of four hashed 32-bit words.
    private static func seedSequence(entropy: UInt32) -> [UInt64] {
        var constant: UInt32 = 0x43B0_D7E5
        func hashed(_ value: UInt32, multiplier: UInt32) -> UInt32 {
            var value = value ^ constant
            constant &*= multiplier
            value &*= constant
            return value ^ value >> 16
        }
        func mixed(_ x: UInt32, _ y: UInt32) -> UInt32 {
            let value = 0xCA01_F9DD &* x &- 0x4973_F715 &* y
            return value ^ value >> 16
        }
        var pool = [entropy, 0, 0, 0].map { hashed($0, multiplier: 0x931E_8875) }
        for source in 0..<4 {
            for target in 0..<4 where target != source {
                pool[target] = mixed(pool[target], hashed(pool[source], multiplier: 0x931E_8875))
            }
        }
        constant = 0x8B51_F9DD
        let words = (0..<8).map { hashed(pool[$0 % 4], multiplier: 0x58F3_8DED) }
        return (0..<4).map { UInt64(words[2 * $0]) | UInt64(words[2 * $0 + 1]) << 32 }
    }
}
