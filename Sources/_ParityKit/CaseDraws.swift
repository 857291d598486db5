import ComputeCore

/// The sizes and switches of a random case; every draw is named by the seed.
struct CaseDraws {
    private let seed: UInt64
    private var count: UInt32 = 0

    init(seed: UInt64) {
        self.seed = seed
    }

    /// A size in `range`: as often small as large, and half of the time at or beside a multiple of a vector or a tile.
    mutating func size(_ range: ClosedRange<Int>) -> Int {
        let isAtTile = flag()
        let tile = pick([8, 16, 32, 64, 128, 256])
        let step = pick([-1, 0, 1])
        var bound = range.lowerBound
        while bound < range.upperBound && flag() == flag() { bound = 2 * bound + 1 }
        let size = pick(Array(range.lowerBound...min(max(2 * bound, range.lowerBound), range.upperBound)))
        guard isAtTile else { return size }
        return min(max(size.roundedUp(to: tile) + step, range.lowerBound), range.upperBound)
    }

    /// One of `choices`, each as likely.
    mutating func pick<Choice>(_ choices: [Choice]) -> Choice {
        count += 1
        let draw = Philox.draw(seed: seed, purpose: .window, position: count, step: 0, sample: 0)
        return choices[Philox.index(draw, below: choices.count)]
    }

    /// A coin.
    mutating func flag() -> Bool { pick([false, true]) }
}
