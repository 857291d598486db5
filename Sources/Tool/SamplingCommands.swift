import ArgumentParser
import Foundation
import Music
import Pipeline

struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Write new pieces.")

    @OptionGroup var sampling: SamplingArguments
    @OptionGroup var device: DeviceOptions

    @Option(help: "Tokens of a piece.")
    var length = TokenModel.windowLength

    @Option(help: "Quarter notes per minute; the model's own if not given.")
    var tempo: Double?

    @Option(help: "Key, such as G:major or E:minor; the model's own if not given.")
    var key: String?

    func run() throws {
        let key = try key.map(Key.init(parsing:))
        let settings = try sampling.settings()
        let output = try PieceOutput(sampling.pieces)
        let model = try sampling.loadModel(on: device)
        try output.write(as: "generate", settings) { settings, progress in
            try model.generate(
                length: length, settings: settings, tempo: tempo, key: key, progress: progress)
        }
    }
}

struct Infill: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write bars of a piece anew; everything outside them stays as it is.")

    @Argument(help: "MIDI file.")
    var input: String

    @Option(help: "Bars, such as 9-16 or 9, from 1, in 4/4 on the aligned grid.")
    var bars: String

    @Option(help: "Tokens of the bars besides their Bar tokens; as many as were there if not given.")
    var tokens: Int?

    @OptionGroup var sampling: SamplingArguments
    @OptionGroup var device: DeviceOptions

    func run() throws {
        let bars = try barRange(bars)
        let settings = try sampling.settings()
        let output = try PieceOutput(sampling.pieces)
        let file = try readMIDI(input)
        let model = try sampling.loadModel(on: device)
        try output.write(as: "infill", settings) { settings, progress in
            try naming(input) {
                try model.infill(
                    file, bars: bars, tokens: tokens, settings: settings, progress: progress)
            }
        }
    }
}

struct Extend: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Continue a piece.")

    @Argument(help: "MIDI file.")
    var input: String

    @Option(help: "How many bars to add.")
    var bars: Int

    @Option(help: "Tokens to write; what the piece's own bars suggest if not given.")
    var tokens: Int?

    @OptionGroup var sampling: SamplingArguments
    @OptionGroup var device: DeviceOptions

    func validate() throws {
        guard bars >= 1 else { throw ValidationError("--bars: expected at least 1, found \(bars)") }
    }

    func run() throws {
        let settings = try sampling.settings()
        let output = try PieceOutput(sampling.pieces)
        let file = try readMIDI(input)
        let model = try sampling.loadModel(on: device)
        try output.write(as: "extend", settings) { settings, progress in
            try naming(input) {
                try model.extend(
                    file, bars: bars, tokens: tokens, settings: settings, progress: progress)
            }
        }
    }
}

/// Reads a MIDI file; what is odd about it and its notes goes to stderr.
func readMIDI(_ path: String) throws -> MIDIFile {
    let reading = try MIDIFile.read(path: path)
    let warnings = reading.warnings.map { "\($0)" } + reading.file.notes().warnings.map { "\($0)" }
    Terminal.note(list: warnings.map { "\(path): \($0)" }, more: "\(path):")
    return reading.file
}

/// Reads bars such as `9-16` or `9`.
func barRange(_ text: String) throws -> ClosedRange<Int> {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], 1 <= first,
        first <= last
    else { throw ValidationError("--bars: expected A-B with 1 ≤ A ≤ B, found \(text)") }
    return first...last
}
