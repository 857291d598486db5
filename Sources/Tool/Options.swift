public import ArgumentParser
public import ComputeCore
public import Diffusion
import Foundation
import Music
public import OpenCLBackend
import OpenCLRuntime
import Pipeline
import ReferenceBackend
public import SMDIM

extension KernelPath: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}
extension ModelConfiguration.Preset: ExpressibleByArgument {}
extension SamplingOptions.Order: ExpressibleByArgument {}
extension TimeGrid.Spacing: ExpressibleByArgument {}

/// Where a command computes.
struct DeviceOptions: ParsableArguments {
    @Option(help: "Device: an index, a part of a name, gpu, cpu or reference.")
    var device: String?

    @Option(help: "Kernels: vector (CPU), group (GPU) or simple; as measured or as the device wants if not given.")
    var kernels: KernelPath?

    @Option(help: "File with measured choices, from tune; SMDIM_TUNING or the user's own if not given.")
    var tuning: String?

    /// The arguments that ask another process for the same device.
    var arguments: [String] {
        (device.map { ["--device", $0] } ?? []) + (kernels.map { ["--kernels", $0.rawValue] } ?? [])
            + (tuning.map { ["--tuning", $0] } ?? [])
    }

    /// The backend that was asked for, by the option or else by the environment.
    func backend() throws -> any Backend {
        let wanted = device ?? ProcessInfo.processInfo.environment["SMDIM_DEVICE"]
        guard wanted == "reference" else { return try openCLBackend() }
        try requireOption(kernels == nil, "kernels", "none for the reference", kernels?.rawValue ?? "")
        try requireOption(tuning == nil, "tuning", "none for the reference", tuning ?? "")
        return ReferenceBackend()
    }

    /// The backend on the OpenCL device that was asked for, with what was measured there.
    ///
    /// - Parameter savesPrograms: Whether compiled programs go to our cache where the driver keeps one of its own.
    func openCLBackend(
        profiling: Bool = false, isolation: Isolation = .none, savesPrograms: Bool = true
    ) throws -> OpenCLBackend {
        let context = try context(profiling: profiling, savesPrograms: savesPrograms)
        let tuning = try Tuning.load(tuning.map { URL(filePath: $0) }, for: context.device)
        return OpenCLBackend(context, path: kernels, tuning: tuning, isolation: isolation)
    }

    /// The OpenCL device that was asked for.
    func context(profiling: Bool = false, savesPrograms: Bool = true) throws -> Context {
        guard device != "reference" else {
            throw ValidationError("--device: expected an OpenCL device, found reference")
        }
        let selected = try DeviceList.withRemarks().select(device)
        return try Context(
            device: selected, profiling: profiling, binaryCache: savesPrograms ? .automatic : .driversOwn(on: selected)
        ) { Terminal.noteOnTerminal("compiling kernels for \(selected.name), as the first time that they are used") }
    }
}

/// How pieces are drawn.
struct SamplingArguments: ParsableArguments {
    @OptionGroup var pieces: PieceArguments

    @Option(help: "Reverse steps.")
    var steps = SamplingSettings(seed: 0).steps

    @Option(help: "Spacing of the steps: uniform or cosine.")
    var schedule = TimeGrid.Spacing.uniform

    @Option(help: "Which positions a step reveals: scheduled, ancestral or confidence.")
    var order = SamplingOptions.Order.scheduled

    @Option(
        help:
            "How far the front is revealed before the end, in [0, 1); 1 - 6.4 / steps if not given, 0 in other orders.")
    var sweep: Double?

    @Option(help: "Divides the logits; 0 takes the most probable token.")
    var temperature: Float = 1

    @Option(help: "Draw from the smallest set of tokens with this probability.")
    var topP = SamplingSettings(seed: 0).topP

    @Option(help: "Pitches of new notes, such as 36-96.")
    var pitchRange: String?

    @Option(help: "Most new notes that begin together.")
    var maxChord: Int?

    @Option(help: "Scale that new notes keep to, such as C:major.")
    var scale: String?

    @Flag(help: "Allow new bars without notes.")
    var emptyBars = false

    @Flag(help: "Draw every token by itself: tokens that make no note may come out and are skipped.")
    var noGrammar = false

    func validate() throws {
        try requireOption(
            (sweep ?? 0) == 0 || order == .scheduled, "sweep", "0 for the order \(order), or --order scheduled",
            sweep ?? 0)
        try requireOption(maxChord.map { $0 >= 1 } ?? true, "max-chord", "at least 1", maxChord ?? 0)
        let hasRules = pitchRange != nil || maxChord != nil || scale != nil || emptyBars
        try requireOption(
            !noGrammar || !hasRules, "no-grammar", "no --pitch-range, --max-chord, --scale or --empty-bars beside it",
            "one")
    }

    private func grammar() throws -> GrammarOptions? {
        if noGrammar { return nil }
        return GrammarOptions(
            pitches: try pitchRange.map(GrammarOptions.pitches(parsing:)), largestChord: maxChord,
            scale: try scale.map(Key.init(parsing:)), allowsEmptyBars: emptyBars)
    }

    /// The library's settings, which it has found to be possible; a seed is drawn where none is given.
    func settings() throws -> SamplingSettings {
        var settings = SamplingSettings(seed: pieces.chosenSeed)
        settings.steps = steps
        settings.spacing = schedule
        settings.order = order
        settings.sweep = sweep
        settings.temperature = temperature
        settings.topP = topP
        settings.count = pieces.count
        settings.firstSample = pieces.firstSample
        settings.batch = pieces.batch
        settings.grammar = try grammar()
        try settings.validate()
        return settings
    }

    /// The model on the device, with a remark if it was never trained.
    func loadModel(on device: DeviceOptions) throws -> TokenModel {
        let backend = try device.backend()
        let model = try naming(pieces.model) {
            try TokenModel(URL(filePath: pieces.model), on: backend, precision: pieces.precision)
        }
        pieces.remark(on: model.name, isUntrained: model.isUntrained)
        return model
    }
}
