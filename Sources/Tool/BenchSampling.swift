import ComputeCore
import Foundation
import Music
import OpenCLBackend
import OpenCLRuntime
import Pipeline
import SMDIM

/// Measures what a reverse step costs beside the network: drawing candidates, revealing some, waiting for the host.
struct SamplingMeasurement {
    let model: TokenModel
    let context: Context
    let length: Int
    let steps: Int

    /// A model on a backend that profiles.
    init(_ folder: String, on backend: OpenCLBackend, precision: Precision, length: Int, steps: Int) throws {
        model = try TokenModel(URL(filePath: folder), on: backend, precision: precision)
        context = backend.context
        self.length = length
        self.steps = steps
    }

    /// The steps of one piece, without a grammar and under it.
    func measure() throws -> [BenchReport.Sampling] {
        try [nil, SamplingSettings(seed: 0).grammar].map { grammar in
            var settings = SamplingSettings(seed: 0)
            settings.steps = steps
            settings.grammar = grammar
            // The first piece builds the kernels.
            _ = try model.generate(length: length, settings: settings)
            _ = try context.takeProfile()
            let piece = try model.generate(length: length, settings: settings)
            let profile = try context.takeProfile()
            let calls = Double(piece[0].summary.networkCalls)
            let network = try Set(
                model.denoiser.plan(batch: 1, length: model.configuration.paddedLength(length)).operations.map(\.name))
            let kernels = profile.filter { network.contains($0.label) }.reduce(0) { $0 + $1.seconds }
            let span = Double((profile.last?.end ?? 0) - (profile.first?.start ?? 0)) * 1e-9
            return BenchReport.Sampling(
                hasGrammar: grammar != nil, networkCalls: piece[0].summary.networkCalls, secondsPerStep: span / calls,
                networkSeconds: kernels / calls)
        }
    }
}
