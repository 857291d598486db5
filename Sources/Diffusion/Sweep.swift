/// Reveals the front of a sequence before its end.
///
/// A position at the place x in [0, 1] of its sequence, with u uniform in (0, 1], is revealed at the time
/// τ = (1 − s)·u + s·(1 − x), where time runs from 1 to 0 and s is the ``strength``. At 0 this is absorbing-state diffusion;
/// above ½ a stretch of (1 − s)/s of the sequence is partly revealed at a time, with all known before it and nothing behind
/// it, and the more steps the closer it comes to one position after the other.
///
/// A network without a time input predicts behind any mask, so every network can be sampled like this; one that was trained
/// on masks like these has seen them before. Source: arXiv 2305.09515 (positions on the left take fewer steps), 2110.02037
/// (any order).
public struct Sweep: Hashable, Sendable {
    /// s in [0, 1).
    public let strength: Double

    /// No sweep: the place of a position is of no matter.
    public static let none = Sweep(draw: 0)

    /// A sweep.
    ///
    /// - Throws: ``SamplingError/option(name:expected:found:)`` for a strength outside [0, 1).
    public init(strength: Double) throws(SamplingError) {
        guard (0..<1).contains(strength) else {
            throw .option(name: "sweep", expected: "a number in [0, 1)", found: "\(strength)")
        }
        self.strength = strength
    }

    /// The sweep of strength `draw` · 2⁻³²: of a draw that is uniform, a strength that is uniform in [0, 1).
    public init(draw: UInt32) {
        strength = Double(draw) * 0x1p-32
    }

    /// τ of the position at `place` whose u is `uniform`.
    public func revealTime(place: Double, uniform: Double) -> Double {
        (1 - strength) * uniform + strength * (1 - place)
    }

    /// The probability that the position at `place` is still masked at a time t: that of τ ≤ t, which is
    /// (t − s·(1 − x)) / (1 − s) within [0, 1].
    public func maskProbability(place: Double, time: Double) -> Double {
        min(max((time - strength * (1 - place)) / (1 - strength), 0), 1)
    }
}
