import ComputeCore
import Foundation
import SMDIM

/// The bound on the negative log-likelihood of held-out windows, in bits per token.
///
/// For each window 64 times t, stratified over (0, 1] and fixed by the seed, give 64 corruptions; the bound is the mean of
/// Σ_masked CE / (t · L · ln 2) with the moving average of the weights. Source: arXiv 2107.03006 with α_t = 1 − t.
struct ValidBound {
    /// Corruptions of a window.
    static let timesPerWindow = 64

    private let windows: [[Int32]]
    private let executable: any Executable
    private let batch: Int

    /// Compiles the forward pass for some windows.
    init(
        _ windows: [[Int32]], configuration: ModelConfiguration, on backend: any Backend,
        parameters: any ParameterStore
    ) throws {
        self.windows = windows
        batch = 8
        let plan = try TokenDenoiser(configuration, slot: .average).lossPlan(batch: batch, length: windows[0].count)
        executable = try backend.compile(plan, parameters: parameters)
    }

    /// Measures the bound.
    func bitsPerToken() throws -> Double {
        var nats = 0.0
        for (index, window) in windows.enumerated() {
            let offset = Double(Philox.draw(seed: 0, purpose: .trainTime, position: UInt32(index))) * 0x1p-32
            for first in stride(from: 0, to: Self.timesPerWindow, by: batch) {
                let times = (first..<first + batch).map { (Double($0) + 1 - offset) / Double(Self.timesPerWindow) }
                let noisy = try TrainingBatch(
                    windows: [[Int32]](repeating: window, count: batch), times: times, seed: 0, step: index,
                    firstSample: first)
                try noisy.write(to: executable, weights: times.map { Float(1 / ($0 * Double(window.count))) })
                try executable.run()
                nats += try Double(executable.read("loss").floats()[0])
            }
        }
        return nats / Double(windows.count * Self.timesPerWindow) / log(2)
    }
}
