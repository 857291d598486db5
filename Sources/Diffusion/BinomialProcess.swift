import ComputeCore
import Foundation

/// Diffusion of binary cells toward independent draws of a prior density r, which differs by plane.
///
/// x_t ~ Bernoulli(S_t·x_0 + (1 − S_t)·r), S the survival of the schedule, t in [0, 1]. From s to t > s a cell is drawn anew with
/// rate β = 1 − S_t / S_s. Source: Sohl-Dickstein et al., arXiv 1503.03585, for r = ½; Atassi, arXiv 2303.08385, for the density of
/// the data; the posterior for any r follows from Bayes' rule.
public struct BinomialProcess: Hashable, Sendable {
    /// How much of x_0 survives until t.
    public enum Schedule: String, Hashable, Sendable, CaseIterable {
        /// S_t = 1 − t. Source: arXiv 2303.08385.
        case linear
        /// S_t = cos²(π·t/2). Source: arXiv 2102.09672, without its offset.
        case cosine
    }

    /// Which law leads from one time to an earlier one.
    public enum Sampler: String, Hashable, Sendable, CaseIterable {
        /// The exact posterior q(x_s | x_t, x_0) at the estimate of x_0.
        case posterior
        /// One noise roll for the whole chain: a cell takes it with probability 1 − S_s, else the estimate. Source: arXiv
        /// 2303.08385, its code; the last estimate is returned as it is.
        case sharedNoise = "shared-noise"
    }

    /// r of each plane, in (0, 1).
    public let priorDensities: [Double]
    /// How much survives.
    public let schedule: Schedule

    /// A process.
    ///
    /// - Throws: ``SamplingError/option(name:expected:found:)`` for a density outside (0, 1).
    public init(priorDensities: [Double], schedule: Schedule = .linear) throws(SamplingError) {
        if let wrong = priorDensities.first(where: { !($0 > 0 && $0 < 1) }) {
            throw .option(name: "prior density", expected: "a number in (0, 1)", found: "\(wrong)")
        }
        self.priorDensities = priorDensities
        self.schedule = schedule
    }

    /// S_t.
    public func survival(_ time: Double) -> Double {
        switch schedule {
        case .linear: 1 - time
        case .cosine: time >= 1 ? 0 : pow(cos(.pi * time / 2), 2)
        }
    }

    /// The nearest of a network's `count` noise levels to 1 − S_t; 0 is clean.
    public func timeIndex(_ time: Double, count: Int) -> Int32 {
        Int32(((1 - survival(time)) * Double(count)).rounded())
    }
}

// MARK: - Laws

/// The probability that a cell is on, for each plane and each pair (current, estimate) at index 2·current + estimate.
public struct CellLaw: Hashable, Sendable {
    /// [P][4].
    public let probabilities: [[Double]]

    init(_ planes: Int, probability: (_ plane: Int, _ current: Double, _ estimate: Double) -> Double) {
        probabilities = (0..<planes).map { plane in
            (0..<4).map { probability(plane, Double($0 / 2), Double($0 % 2)) }
        }
    }

    /// As ``BinomialStep/thresholds`` holds it for one sample: [P, 4, 2].
    public var words: [Int32] {
        probabilities.joined().flatMap { Philox.threshold(probability: $0).halfWords }
    }
}

extension BinomialProcess {
    /// q(x_t | x_0), x_0 being the estimate: S_t·x_0 + (1 − S_t)·r.
    public func marginal(at time: Double) -> CellLaw {
        let survival = survival(time)
        return CellLaw(priorDensities.count) { plane, _, clean in
            survival * clean + (1 - survival) * priorDensities[plane]
        }
    }

    /// x_t where the noise is known and is what ``CellLaw`` calls current: S_t·x_0 + (1 − S_t)·noise.
    public func sharedNoise(at time: Double) -> CellLaw {
        let survival = survival(time)
        return CellLaw(priorDensities.count) { _, noise, clean in survival * clean + (1 - survival) * noise }
    }

    /// q(x_s | x_t, x_0) for s < t, x_t being current and x_0 the estimate:
    /// A·m / (A·m + B·(1 − m)) with m = S_s·x_0 + (1 − S_s)·r, A and B the likelihoods of x_t under x_s = 1 and 0.
    public func posterior(from time: Double, to earlier: Double) -> CellLaw {
        let (late, early) = (survival(time), survival(earlier))
        let rate = early > 0 ? 1 - late / early : 1
        return CellLaw(priorDensities.count) { plane, current, clean in
            let density = priorDensities[plane]
            let mean = early * clean + (1 - early) * density
            let ifOn = current > 0 ? 1 - rate + rate * density : rate * (1 - density)
            let ifOff = current > 0 ? rate * density : 1 - rate * density
            let evidence = ifOn * mean + ifOff * (1 - mean)
            // x_t contradicts x_0 only where nothing was drawn anew; then x_s is x_t.
            return evidence > 0 ? ifOn * mean / evidence : current
        }
    }
}
