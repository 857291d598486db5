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
    @Option(help: "Folder of a model of rolls.")
    var model: String

    @Option(help: "Reverse steps.")
    var steps = RollSettings(seed: 0).steps

    @Option(help: "Law of a reverse step: posterior or shared-noise.")
    var sampler = BinomialProcess.Sampler.posterior

    @Option(help: "How noise grows with time: linear or cosine.")
    var schedule = BinomialProcess.Schedule.linear

    @Option(help: "Divides the logits; 0 takes every cell whose probability is at least one half.")
    var temperature: Float = 1

    @Option(help: "Seed; drawn and printed if not given.")
    var seed: UInt64?

    @Option(help: "Number of pieces.")
    var count = 1

    @Option(help: "Number of the first piece: piece i is the same whatever --count is.")
    var firstSample = 0

    @Option(help: "Pieces drawn at once; changes memory and speed, never a piece.")
    var batch = 4

    @Option(help: "Type of the factors of products: f32 or bf16.")
    var precision = Precision.float32

    @Flag(help: "Print what was written as JSON.")
    var json = false

    @Option(name: .shortAndLong, help: "Output file, or folder for several pieces.")
    var output: String

    func validate() throws {
        func require(_ condition: Bool, _ option: String, _ expected: String, _ found: some CustomStringConvertible)
            throws
        {
            guard condition else { throw ValidationError("--\(option): expected \(expected), found \(found)") }
        }
        try require(steps >= 1, "steps", "at least 1", steps)
        try require(count >= 1, "count", "at least 1", count)
        try require(batch >= 1, "batch", "at least 1", batch)
        try require(firstSample >= 0, "first-sample", "0 or more", firstSample)
        try require(temperature >= 0 && temperature.isFinite, "temperature", "0 or more", temperature)
    }

    /// Reads a file, lets a model edit it, and writes what comes out.
    func run(
        on device: DeviceOptions, _ name: String, reading input: String,
        edit: (RollModel, MIDIFile, RollSettings, @escaping (SamplingProgress) -> Void) throws -> [Piece]
    ) throws {
        let output = try PieceOutput(output, count: count)
        let file = try readMIDI(input)
        let model = try RollModel(URL(filePath: model), on: device.backend(), precision: precision)
        if model.isUntrained {
            Terminal.note("\(model.name): these weights are untrained; what they write is noise, not music")
        }
        let bar = ProgressBar(name)
        try output.write(edit(model, file, settings) { bar.show($0.done, of: $0.total) }, json: json)
    }

    private var settings: RollSettings {
        var settings = RollSettings(seed: seed ?? UInt64.random(in: 0..<1 << 48))
        settings.steps = steps
        settings.sampler = sampler
        settings.schedule = schedule
        settings.temperature = temperature
        settings.count = count
        settings.firstSample = firstSample
        settings.batch = batch
        return settings
    }
}
