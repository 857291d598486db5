import ArgumentParser
import CProcessor
import ComputeCore
import Diffusion
import Foundation
import OpenCLBackend
import Pipeline
import SMDIM

/// Runs something once for every line on stdin and prints its seconds: a comparison with another program takes turns with
/// it in one measurement, while this process keeps its kernels and weights and otherwise sleeps.
struct Rounds: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rounds", abstract: "Time something once per line on stdin.", shouldDisplay: false)

    enum Subject: String, ExpressibleByArgument {
        /// A denoising step.
        case step
        /// A linear layer without bias; sizes M, N, K.
        case linear
        /// Attention; sizes S, H, d.
        case attention
        /// A whole piece: every reverse step, from masks to tokens.
        case piece
        /// A training step: forward, backward, AdamW.
        case training
        /// A piano roll of 32 bars from nothing: every reverse step.
        case roll
        /// A cache line from one core to another and back; see ``CoreDistance``.
        case distance

        var hasSizes: Bool { self == .linear || self == .attention }
    }

    @Argument(help: "step, linear, attention, piece, training, roll or distance.")
    var subject: Subject

    @Option(parsing: .upToNextOption, help: "Three sizes of linear or attention.")
    var sizes: [Int] = []

    @Option(help: "Runs of linear, attention or distance per line, with one wait behind them; the mean is printed.")
    var runs = 1

    @Option(help: "Reverse steps of a piece or a roll.")
    var steps = 64

    @Option(help: "Folder of a model of rolls.")
    var roll: String?

    @OptionGroup var model: BenchModel
    @OptionGroup var device: DeviceOptions

    func validate() throws {
        guard sizes.count == (subject.hasSizes ? 3 : 0), sizes.allSatisfy({ $0 > 0 }) else {
            throw ValidationError("--sizes: expected three sizes of linear or attention, found \(sizes)")
        }
        guard subject != .distance || cprocessor_usable_count() > 1 else {
            throw ValidationError("distance: expected two processors, found one")
        }
        guard (roll != nil) == (subject == .roll) else {
            throw ValidationError("--roll: expected a model for roll alone")
        }
        guard runs >= 1, runs == 1 || subject.hasSizes || subject == .distance else {
            throw ValidationError(
                "--runs: expected at least 1, and 1 but for linear, attention and distance, found \(runs)")
        }
    }

    func run() throws {
        let backend = try device.openCLBackend()
        let body = try body(on: backend)
        try body()
        say("ready \(backend.identity.kernelPath)")
        while readLine() != nil {
            let start = ContinuousClock.now
            try body()
            say("\((ContinuousClock.now - start).seconds / Double(runs))")
        }
    }

    private func say(_ line: String) {
        FileHandle.standardOutput.write(Data("\(line)\n".utf8))
    }

    private func body(on backend: OpenCLBackend) throws -> () throws -> Void {
        switch subject {
        case .step, .training:
            return try model.measurement(ofTraining: subject == .training).step(on: backend).run
        case .linear, .attention:
            let executable = try operation(on: backend)
            return { [runs] in
                for _ in 0..<runs { try executable.run() }
                try executable.wait()
            }
        case .piece: return try piece(on: backend)
        case .distance: return { [runs] in CoreDistance.exchange(times: runs) }
        case .roll:
            let model = try RollModel(URL(filePath: roll ?? ""), on: backend, precision: model.precision)
            let chain = try model.chain(bars: 32, steps: steps)
            return { try chain() }
        }
    }

    private func operation(on backend: OpenCLBackend) throws -> any Executable {
        let precision = model.precision
        let plan =
            try subject == .linear
            ? ProductShape(rows: sizes[0], outputs: sizes[1], inputs: sizes[2], precision: precision).plan()
            : AttentionShape(length: sizes[0], heads: sizes[1], width: sizes[2], precision: precision).plan()
        let weights = try plan.parameters.map {
            try ParameterSource($0.key, $0.layout, $0.shape, values($0.shape.elementCount))
        }
        let executable = try backend.compile(plan, parameters: backend.prepare(weights))
        let input = try plan.tensor(named: "input").shape
        try executable.write("input", HostTensor(input, values(input.elementCount)))
        return executable
    }

    /// Values between -1 and 1, so that no step meets zeros alone.
    private func values(_ count: Int) -> [Float] {
        (0..<count).map { Float($0 &* 7919 % 2003) / 1001 - 1 }
    }

    private func piece(on backend: OpenCLBackend) throws -> () throws -> Void {
        let measurement = try model.measurement()
        let configuration = measurement.configuration
        let denoiser = TokenDenoiser(configuration, precision: model.precision)
        let batch = ReverseChain.Batch(
            count: 1, length: model.length, paddedLength: configuration.paddedLength(model.length),
            vocabularySize: configuration.vocabularySize)
        let chain = try ReverseChain(
            batch, options: SamplingOptions(grid: TimeGrid(stepCount: steps), seed: 0),
            allowed: [Bool](repeating: true, count: configuration.vocabularySize), on: backend,
            parameters: backend.prepare(measurement.weights)
        ) { tokens, plan in try denoiser.record(tokens, into: &plan).logits }
        let masks = [Int32](repeating: configuration.maskToken, count: model.length)
        return { _ = try chain.run(from: [masks]) }
    }
}
