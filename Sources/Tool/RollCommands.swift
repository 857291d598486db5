public import ArgumentParser
import ComputeCore
public import Diffusion
import Foundation
import Music
import Pipeline

extension BinomialProcess.Sampler: ExpressibleByArgument {}
extension BinomialProcess.Schedule: ExpressibleByArgument {}

struct Harmonise: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Add a voice to a melody; every note of the melody stays as it is.")

    @Argument(help: "MIDI file: a melody, or anything to add notes to.")
    var input: String

    @OptionGroup var sampling: RollArguments
    @OptionGroup var device: DeviceOptions

    func run() throws {
        try sampling.run(on: device, "harmonise", reading: input) { model, file, settings, progress in
            try model.harmonise(file, settings: settings, progress: progress)
        }
    }
}

struct Complete: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write bars of a piece anew as a piano roll; everything outside them stays as it is.")

    @Argument(help: "MIDI file.")
    var input: String

    @Option(help: "Bars, such as 9-16 or 9, from 1, in 4/4 on the aligned grid.")
    var bars: String

    @OptionGroup var sampling: RollArguments
    @OptionGroup var device: DeviceOptions

    func run() throws {
        let bars = try barRange(bars)
        try sampling.run(on: device, "complete", reading: input) { model, file, settings, progress in
            try model.complete(file, bars: bars, settings: settings, progress: progress)
        }
    }
}

struct Vary: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Vary a piece; notes that come back as they were stay tick for tick.")

    @Argument(help: "MIDI file.")
    var input: String

    @Option(help: "How far to go, 0 to 1: 0 returns the piece, 1 writes a new one.")
    var strength: Double

    @OptionGroup var sampling: RollArguments
    @OptionGroup var device: DeviceOptions

    func validate() throws {
        guard (0...1).contains(strength) else {
            throw ValidationError("--strength: expected 0 to 1, found \(strength)")
        }
    }

    func run() throws {
        try sampling.run(on: device, "vary", reading: input) { model, file, settings, progress in
            try model.vary(file, strength: strength, settings: settings, progress: progress)
        }
    }
}

/// How rolls are drawn.
struct RollArguments: ParsableArguments {
    @OptionGroup var pieces: PieceArguments

    @Option(help: "Reverse steps.")
    var steps = RollSettings(seed: 0).steps

    @Option(help: "Law of a reverse step: posterior or shared-noise.")
    var sampler = BinomialProcess.Sampler.posterior

    @Option(help: "How noise grows with time: linear or cosine.")
    var schedule = BinomialProcess.Schedule.linear

    @Option(help: "Divides the logits; 0 takes every cell whose probability is at least one half.")
    var temperature: Float = 1

    /// Reads a file, lets a model edit it, and writes what comes out.
    func run(
        on device: DeviceOptions, _ name: String, reading input: String,
        edit: (RollModel, MIDIFile, RollSettings, @escaping (SamplingProgress) -> Void) throws -> [Piece]
    ) throws {
        let settings = settings
        try settings.validate()
        let output = try PieceOutput(pieces)
        let file = try readMIDI(input)
        let backend = try device.backend()
        let model = try naming(pieces.model) {
            try RollModel(URL(filePath: pieces.model), on: backend, precision: pieces.precision)
        }
        pieces.remark(on: model.name, isUntrained: model.isUntrained)
        try output.write(as: name, settings) { settings, progress in
            try naming(input) { try edit(model, file, settings, progress) }
        }
    }

    private var settings: RollSettings {
        var settings = RollSettings(seed: pieces.chosenSeed)
        settings.steps = steps
        settings.sampler = sampler
        settings.schedule = schedule
        settings.temperature = temperature
        settings.count = pieces.count
        settings.firstSample = pieces.firstSample
        settings.batch = pieces.batch
        return settings
    }
}
