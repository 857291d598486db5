import Foundation

/// The numbers of one ``AdamW`` step, as they lie in a float tensor on the device, so that one compiled plan serves all.
public struct AdamWSchedule: Hashable, Sendable {
    /// η, the learning rate.
    public var rate: Double
    /// β₁.
    public var firstDecay: Double
    /// β₂.
    public var secondDecay: Double
    /// ε.
    public var epsilon: Double
    /// The number of the step, from 1.
    public var step: Int
    /// e, the share of the old average.
    public var averageDecay: Double

    /// The numbers of one step.
    public init(
        rate: Double, firstDecay: Double = 0.9, secondDecay: Double = 0.99, epsilon: Double = 1e-8, step: Int,
        averageDecay: Double
    ) {
        self.rate = rate
        self.firstDecay = firstDecay
        self.secondDecay = secondDecay
        self.epsilon = epsilon
        self.step = step
        self.averageDecay = averageDecay
    }

    /// The shape of the tensor.
    public static let shape: Shape = [7]

    /// η, β₁, β₂, ε, 1 / (1 − β₁ᵏ), 1 / (1 − β₂ᵏ), e: the order in which kernels read them.
    public var values: [Float] {
        func correction(_ decay: Double) -> Double { 1 / (1 - pow(decay, Double(step))) }
        return [rate, firstDecay, secondDecay, epsilon, correction(firstDecay), correction(secondDecay), averageDecay]
            .map { Float($0) }
    }
}
