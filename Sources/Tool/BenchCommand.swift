public import ArgumentParser
import ComputeCore
import Foundation
import OpenCLBackend
import OpenCLRuntime
public import SMDIM

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure one denoising or training step: latency, kernels, memory, start-up.")

    @OptionGroup var model: BenchModel
    @OptionGroup var device: DeviceOptions

    @Option(help: "Steps that are timed.")
    var repetitions = 11

    @Option(help: "Compare the kernels' times with this earlier --json output; exit 1 if one is slower.")
    var baseline: String?

    @Option(help: "How much slower than the baseline a kernel may be, as a fraction.")
    var margin = 0.15

    @Option(help: "Write the kernels of one step as a Chrome trace.")
    var trace: String?

    @Option(help: "Also sample a piece in so many reverse steps, without and under the grammar; needs --model.")
    var samplingSteps: Int?

    @Flag(help: "Measure a training step: forward, backward, AdamW.")
    var training = false

    @Flag(help: "Print the memory that a step takes, and take none.")
    var plan = false

    @Flag(help: "Do not start further processes to measure cold and warm start.")
    var skipStart = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard repetitions >= 1 else {
            throw ValidationError("--repetitions: expected at least 1, found \(repetitions)")
        }
        guard samplingSteps.map({ $0 >= 1 && model.model != nil }) ?? true else {
            throw ValidationError("--sampling-steps: expected at least 1 and a --model with its tokenizer")
        }
        guard samplingSteps == nil || (model.batch == 1 && model.mixer == nil && !plan) else {
            throw ValidationError("--sampling-steps: expected no --batch, --mixer or --plan beside it")
        }
        guard !plan || (trace == nil && baseline == nil) else {
            throw ValidationError("--plan: expected no --trace or --baseline beside it, nothing is measured")
        }
        guard !training || !plan else {
            throw ValidationError("--training: expected no --plan beside it (see train --plan)")
        }
        guard margin >= 0 else { throw ValidationError("--margin: expected 0 or more, found \(margin)") }
    }

    func run() throws {
        let earlier = try baseline.map(BenchReport.init(path:))
        let measurement = try model.measurement(ofTraining: training, withWeights: !plan)
        if plan { return try printPlan(measurement) }
        let backend = try device.openCLBackend()
        try earlier.map { try requireComparable($0, with: measurement, on: backend) }
        let report = try measure(measurement, on: backend)
        try Terminal.result(json ? try Terminal.json(report) : report.text)
        let regressions = earlier.map { report.regressions(from: $0, margin: margin) } ?? []
        for regression in regressions { Terminal.error(regression) }
        if !regressions.isEmpty { throw ExitCode(1) }
    }

    private var kind: String { training ? "training" : "denoising" }

    /// Refuses a baseline of something else: its times would say nothing about a kernel.
    private func requireComparable(
        _ earlier: BenchReport, with measurement: BenchMeasurement, on backend: OpenCLBackend
    ) throws {
        let pairs: [(name: String, expected: String, found: String)] = [
            ("step", kind, earlier.step), ("preset", model.name, earlier.preset),
            ("length", "\(measurement.length)", "\(earlier.length)"),
            ("batch", "\(measurement.batch)", "\(earlier.batch)"),
            ("precision", measurement.precision.rawValue, earlier.precision),
            ("mixer", measurement.configuration.trunk.mixer.rawValue, earlier.mixer),
            ("device", backend.identity.device, earlier.device),
            ("kernel_path", backend.identity.kernelPath, earlier.kernelPath),
        ]
        for (name, expected, found) in pairs where expected != found {
            throw ValidationError("--baseline: expected \(name) \(expected), found \(found) in \(baseline ?? "")")
        }
    }

    private func measure(_ measurement: BenchMeasurement, on backend: OpenCLBackend) throws -> BenchReport {
        if let trace { try requireWritable(trace) }
        let identity = backend.identity
        let step = try measurement.step(on: backend)
        let seconds = BenchReport.Spread(try measurement.seconds(of: step, repetitions: repetitions))
        let profiler = try device.openCLBackend(profiling: true)
        let profile = try measurement.fastestProfile(
            of: measurement.step(on: profiler), on: profiler, repetitions: min(repetitions, 5))
        if let trace { try ChromeTrace(profile).write(to: trace) }
        return BenchReport(
            version: SMDIMTool.version, device: identity.device, driver: identity.driver,
            precision: measurement.precision.rawValue, kernelPath: identity.kernelPath,
            preset: model.name, mixer: measurement.configuration.trunk.mixer.rawValue, step: kind,
            length: measurement.length, batch: measurement.batch, stepSeconds: seconds,
            peakBytes: backend.context.peakBytes, flops: step.flops,
            startSeconds: try skipStart || training
                ? nil : StartMeasurement(model: model, device: device).seconds(step: seconds.median),
            kernels: measurement.families(profile, of: step), sampling: try sampling())
    }

    private func sampling() throws -> [BenchReport.Sampling]? {
        guard let folder = model.model, let samplingSteps else { return nil }
        return try SamplingMeasurement(
            folder, on: device.openCLBackend(profiling: true), precision: model.precision, length: model.length,
            steps: samplingSteps
        ).measure()
    }

    private func printPlan(_ measurement: BenchMeasurement) throws {
        let backend = try device.openCLBackend()
        let parameters = try backend.memory(of: measurement.configuration.parameters(measurement.precision))
        let activations = try backend.memory(of: measurement.plan()).byteCount
        let total = parameters + activations
        if json {
            return try Terminal.result(
                try Terminal.json([
                    "weights_bytes": parameters, "activations_bytes": activations, "total_bytes": total,
                ]))
        }
        try Terminal.result(
            """
            weights      \(parameters) bytes
            activations  \(activations) bytes
            total        \(total) bytes
            """)
    }
}

/// The model that a benchmark runs: a preset with seeded weights, or a folder.
struct BenchModel: ParsableArguments {
    @Option(help: "Sizes: paper, small or tiny, with seeded weights.")
    var preset: ModelConfiguration.Preset?

    @Option(help: "Model folder instead of a preset.")
    var model: String?

    @Option(help: "Tokens.")
    var length = 2048

    @Option(help: "Samples.")
    var batch = 1

    @Option(help: "Type of the factors of products: f32 or bf16.")
    var precision = Precision.float32

    @Option(help: "First layer of a block: mamba, or attention for the transformer that the paper compares with.")
    var mixer: TrunkConfiguration.Mixer?

    func validate() throws {
        guard preset == nil || model == nil else { throw ValidationError("--preset: expected no --model beside it") }
        guard (1...1 << 20).contains(length) else {
            throw ValidationError("--length: expected 1 to \(1 << 20), found \(length)")
        }
        guard (1...4096).contains(batch) else { throw ValidationError("--batch: expected 1 to 4096, found \(batch)") }
    }

    /// What the report calls the model.
    var name: String { model ?? (preset ?? .paper).rawValue }

    /// The measurement of a denoising step or of a training step, with weights unless only its sizes matter.
    func measurement(ofTraining isTraining: Bool = false, withWeights: Bool = true) throws -> BenchMeasurement {
        let folder: ModelFolder<ModelConfiguration>? = try model.map(modelFolder)
        var configuration = folder?.configuration ?? ModelConfiguration(preset ?? .paper)
        if let mixer { configuration.trunk.mixer = mixer }
        var weights: [ParameterSource] = []
        if withWeights {
            let resident = isTraining ? .float32 : precision
            weights = try naming(name) {
                try folder?.weights(precision: resident) ?? configuration.initialWeights(seed: 0, precision: resident)
            }
        }
        return BenchMeasurement(
            configuration: configuration, weights: weights, length: length, batch: batch, precision: precision,
            isTraining: isTraining)
    }

    /// The arguments that give the same model to another process.
    var arguments: [String] {
        (model.map { ["--model", $0] } ?? ["--preset", name])
            + ["--length", "\(length)", "--batch", "\(batch)", "--precision", precision.rawValue]
            + (mixer.map { ["--mixer", $0.rawValue] } ?? [])
    }
}

extension TrunkConfiguration.Mixer: ExpressibleByArgument {}
