/// How a reverse chain draws and reveals.
public struct SamplingOptions: Hashable, Sendable {
    /// Which masked positions a step reveals.
    public enum Order: String, Hashable, Sendable, CaseIterable {
        /// Each position's time is drawn before the chain starts; steps that reveal nothing are never run. Without a
        /// ``Sweep`` the same law as ``ancestral``. Source: arXiv 2312.09193.
        case scheduled
        /// Each masked position is revealed by a coin of its own in every step; every step runs. Source: arXiv 2107.03006.
        case ancestral
        /// The most confident positions first, as many as the grid says; devices may differ over positions about equally
        /// confident, which no count of near-ties tells. Source: arXiv 2202.04200, without its noise.
        case confidence
    }

    /// The times between which the steps lead.
    public var grid: TimeGrid
    /// Which positions a step reveals.
    public var order: Order
    /// How far the front of a sequence is revealed before its end; for ``Order/scheduled``.
    public var sweep: Sweep
    /// T, dividing the logits; 0 takes the most probable token.
    public var temperature: Float
    /// p of top-p.
    public var topP: Float
    /// Names every random number of the chain.
    public var seed: UInt64
    /// The number of the first sample; sample i of a batch is the sample of this number plus i.
    public var firstSample: Int

    /// Options.
    ///
    /// - Throws: ``SamplingError/option(name:expected:found:)`` for a value outside its range.
    public init(
        grid: TimeGrid, order: Order = .scheduled, sweep: Sweep = .none, temperature: Float = 1, topP: Float = 1,
        seed: UInt64, firstSample: Int = 0
    ) throws(SamplingError) {
        guard sweep.strength == 0 || order == .scheduled else {
            throw .option(
                name: "sweep", expected: "0 for the order \(order), or the order scheduled", found: "\(sweep.strength)")
        }
        try SamplingError.require(temperature: temperature)
        guard topP > 0, topP <= 1 else {
            throw .option(name: "top-p", expected: "a number in (0, 1]", found: "\(topP)")
        }
        _ = try Int32(firstSample: firstSample, of: 1)
        self.grid = grid
        self.order = order
        self.sweep = sweep
        self.temperature = temperature
        self.topP = topP
        self.seed = seed
        self.firstSample = firstSample
    }
}
