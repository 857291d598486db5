import Foundation

// MARK: - Distances between pieces

extension SetStatistics {
    /// Distances |xᵢ − xⱼ| of every pair i < j.
    static func distances(among x: [Double]) -> [Double] {
        x.indices.flatMap { i in x[(i + 1)...].map { abs(x[i] - $0) } }
    }

    /// Distances |xᵢ − yⱼ| of every pair.
    static func distances(between x: [Double], and y: [Double]) -> [Double] {
        x.flatMap { value in y.map { abs(value - $0) } }
    }

    /// The area under the lesser of two kernel density estimates, ∫ min(f, g), by trapezoids between 600 points.
    ///
    /// Where all values agree it is 1.
    ///
    ///
    /// - Parameters:
    ///   - x: Values of the first distribution, not empty.
    ///   - y: Values of the second, not empty.
    static func overlap(_ x: [Double], _ y: [Double]) -> Double {
        guard let low = (x + y).min(), let high = (x + y).max(), high - low >= 1e-9 else { return 1 }
        let span = high - low
        let pad = 0.2 * span
        let step = (span + 2 * pad) / Double(gridPoints - 1)
        let grid = (0..<gridPoints).map { low - pad + Double($0) * step }
        let first = density(of: x, at: grid, span: span)
        let second = density(of: y, at: grid, span: span)
        let lesser = zip(first, second).map { min($0, $1) }
        return zip(lesser, lesser.dropFirst()).reduce(0) { $0 + ($1.0 + $1.1) / 2 * step }
    }

    private static let gridPoints = 600
    /// Larger sets of distances are thinned to this number, by a fixed seed.
    private static let mostDistances = 4000

    /// A Gaussian kernel density estimate with the bandwidth σ·n^(−1/5), at least 10⁻⁶ of the span.
    private static func density(of values: [Double], at grid: [Double], span: Double) -> [Double] {
        var sample = values
        if values.count >= mostDistances {
            var generator = PCG64(seed: 0)
            sample = generator.sample(mostDistances, of: values.count).map { values[$0] }
        }
        let count = Double(sample.count)
        let bandwidth = max(sample.variance.squareRoot() * pow(count, -0.2), 1e-6 * span)
        let scale = 1 / (count * bandwidth * (2 * Double.pi).squareRoot())
        return grid.map { point in
            sample.reduce(0) { sum, value in
                let z = (point - value) / bandwidth
                return sum + exp(-0.5 * z * z)
            } * scale
        }
    }
}

// MARK: - Framewise overlapping area

extension StatisticsPiece {
    private static let barsPerFrame = 4
    private static let barsPerHop = 2
    /// Keeps the deviation of a frame of equal notes above 0.
    private static let leastDeviation = 1e-6

    /// The mean overlap of the normal distributions of neighbouring frames, or nil for fewer than two frames.
    ///
    /// A frame is four bars, two bars from the next; an empty one counts as N(1, 10⁻¹²). Durations are in steps, at
    /// least 1.
    func framewiseOverlap() -> (pitch: Double, duration: Double)? {
        let bars = notes.map { Self.bar(ofStep: Self.step($0.onset)) }
        guard let first = bars.min(), let last = bars.max() else { return nil }
        let frameCount = (last - first + 1 - Self.barsPerFrame) / Self.barsPerHop + 1
        guard last - first + 1 >= Self.barsPerFrame, frameCount >= 2 else { return nil }
        let frames = (0..<frameCount).map { frame in
            let range = Self.barsPerHop * frame + first..<Self.barsPerHop * frame + first + Self.barsPerFrame
            let members = notes.indices.filter { range.contains(bars[$0]) }.map { notes[$0] }
            return (
                pitch: Self.normal(members.map { Double($0.pitch) }),
                duration: Self.normal(members.map { Double(max(1, Self.step($0.duration))) })
            )
        }
        let pairs = zip(frames, frames.dropFirst())
        return (
            pitch: pairs.map { $0.pitch.overlap(with: $1.pitch) }.mean,
            duration: pairs.map { $0.duration.overlap(with: $1.duration) }.mean
        )
    }

    private static func bar(ofStep step: Int) -> Int {
        Int((Double(step) / Double(stepsPerBar)).rounded(.down))
    }

    private static func normal(_ values: [Double]) -> NormalDistribution {
        values.isEmpty
            ? NormalDistribution(mean: 1, deviation: leastDeviation)
            : NormalDistribution(mean: values.mean, deviation: values.variance.squareRoot() + leastDeviation)
    }
}

/// A normal distribution N(mean, deviation²).
struct NormalDistribution {
    let mean: Double
    let deviation: Double

    /// ∫ min(f, g) of two densities, from the one or two points where they cross (Inman and Bradley, 1989).
    func overlap(with other: NormalDistribution) -> Double {
        let isOrdered = (deviation, mean) <= (other.deviation, other.mean)
        let narrow = isOrdered ? self : other
        let wide = isOrdered ? other : self
        let narrowVariance = narrow.deviation * narrow.deviation
        let wideVariance = wide.deviation * wide.deviation
        let excess = wideVariance - narrowVariance
        let distance = abs(wide.mean - narrow.mean)
        guard excess > 0 else { return 1 - erf(distance / (2 * narrow.deviation * 2.0.squareRoot())) }
        let centre = narrow.mean * wideVariance - wide.mean * narrowVariance
        let reach =
            narrow.deviation * wide.deviation
            * (distance * distance + excess * log(wideVariance / narrowVariance)).squareRoot()
        return [(centre + reach) / excess, (centre - reach) / excess].reduce(1) { rest, crossing in
            rest - abs(wide.cumulative(crossing) - narrow.cumulative(crossing))
        }
    }

    private func cumulative(_ x: Double) -> Double {
        0.5 * (1 + erf((x - mean) / (deviation * 2.0.squareRoot())))
    }
}
