package import ComputeCore

/// What the host knows of a chain before it starts: which steps run, with which parameters.
package struct RevealSchedule {
    /// The steps to run, in order.
    package let steps: [StepParameters]
    /// For each sample and position the step that reveals it, -1 for given tokens; nil if the order needs none.
    package let revealSteps: [[Int32]]?

    package init(_ options: SamplingOptions, initial: [[Int32]], mask: Int32, seed: UInt64, firstSample: Int32) {
        func parameters(_ step: Int) -> StepParameters {
            StepParameters(step: Int32(step), firstSample: firstSample, seed: seed)
        }
        let grid = options.grid
        let maskedCounts = initial.map { tokens in tokens.count { $0 == mask } }
        guard let most = maskedCounts.max(), most > 0 else {
            (steps, revealSteps) = ([], options.order == .scheduled ? initial.map { $0.map { _ in -1 } } : nil)
            return
        }
        switch options.order {
        case .scheduled:
            let times = initial.enumerated().map { sample, tokens in
                var rank = 0
                return tokens.enumerated().map { position, token -> Int32 in
                    guard token == mask else { return -1 }
                    let draw = Philox.draw(
                        seed: seed, purpose: .revealTime, position: UInt32(position),
                        sample: UInt32(bitPattern: firstSample) &+ UInt32(sample))
                    let place = (Double(rank) + 0.5) / Double(maskedCounts[sample])
                    rank += 1
                    let uniform = (Double(draw) + 1) * 0x1p-32
                    return Int32(grid.step(revealing: options.sweep.revealTime(place: place, uniform: uniform)))
                }
            }
            revealSteps = times
            steps = Set(times.joined()).subtracting([-1]).sorted().map { parameters(Int($0)) }
        case .ancestral:
            revealSteps = nil
            steps = (0..<grid.stepCount).map { step in
                var parameters = parameters(step)
                parameters.revealThreshold = Philox.threshold(probability: grid.revealProbability(step: step))
                return parameters
            }
        case .confidence:
            revealSteps = nil
            var left = most
            steps = (0..<grid.stepCount).compactMap { step in
                let target = Int((Double(most) * grid.time(step + 1)).rounded())
                guard target < left else { return nil }
                var parameters = parameters(step)
                parameters.revealCount = Int32(left - target)
                left = target
                return parameters
            }
        }
    }
}
