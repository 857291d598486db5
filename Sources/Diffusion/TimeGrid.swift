import ComputeCore
import Foundation

/// The diffusion times t₀ = 1 > t₁ > … > t_K = 0 between which the K reverse steps lead.
///
/// The absorbing process masks each token with probability t (α_t = 1 − t), so a grid fixes how many tokens the steps
/// reveal: of those still masked at t, the step to s reveals each with probability (t − s)/t.
public struct TimeGrid: Hashable, Sendable {
    /// How the times are spaced.
    public enum Spacing: String, Hashable, Sendable, CaseIterable {
        /// t_k = 1 − k/K: every step reveals about as many tokens.
        case uniform
        /// t_k = cos(π·k / 2K): few tokens in the first steps, many in the last. Source: MaskGIT, arXiv 2202.04200.
        case cosine
    }

    /// How the times are spaced.
    public let spacing: Spacing
    /// K, the number of steps.
    public let stepCount: Int

    /// A grid of `stepCount` steps.
    ///
    /// - Throws: ``SamplingError/stepCount(_:)`` unless it is in 1...1,000,000.
    public init(_ spacing: Spacing = .uniform, stepCount: Int) throws(SamplingError) {
        try SamplingError.require(stepCount: stepCount)
        self.spacing = spacing
        self.stepCount = stepCount
    }

    /// t_k, for k in 0...K.
    public func time(_ k: Int) -> Double {
        if k == stepCount { return 0 }
        let fraction = Double(k) / Double(stepCount)
        switch spacing {
        case .uniform: return 1 - fraction
        case .cosine: return cos(.pi / 2 * fraction)
        }
    }

    /// The probability (t − s)/t with which step k, from t = t_k to s = t_{k+1}, reveals a masked token; 1 in the last.
    public func revealProbability(step k: Int) -> Double {
        (time(k) - time(k + 1)) / time(k)
    }

    /// The step in which a position with reveal time τ in (0, 1] is revealed: t_{k+1} < τ ≤ t_k.
    public func step(revealing tau: Double) -> Int {
        var (low, high) = (0, stepCount - 1)
        while low < high {
            let middle = (low + high) / 2
            if time(middle + 1) < tau { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
