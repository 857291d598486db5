public import ComputeCore

/// Windows of songs with the noise that they get: the inputs of a loss's plan but for the weights.
public struct TrainingBatch: Sendable {
    /// The plan's inputs by name.
    public let inputs: [String: HostTensor]
    /// For each window its diffusion time.
    public let times: [Double]
    /// For each window how many of its cells, or tokens, the loss counts.
    public let countedCells: [Int]
    /// Cells, or tokens, of all windows.
    public let cellCount: Int
}

extension Executable {
    /// Gives a loss its inputs.
    func write(_ batch: TrainingBatch, weights: [Float]) throws {
        for (name, values) in batch.inputs { try write(name, values) }
        try write("weights", HostTensor([weights.count], weights))
    }
}
