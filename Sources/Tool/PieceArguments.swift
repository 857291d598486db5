import ArgumentParser
import ComputeCore

/// What every command that draws pieces takes.
struct PieceArguments: ParsableArguments {
    @Option(help: "Model folder.")
    var model: String

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

    @Option(name: .shortAndLong, help: "Output file, or folder for several pieces, numbered from --first-sample.")
    var output: String

    /// The seed, drawn where none is given.
    var chosenSeed: UInt64 { seed ?? UInt64.random(in: 0..<1 << 48) }

    /// Says so where a model was never trained.
    func remark(on name: String, isUntrained: Bool) {
        if isUntrained { Terminal.note("\(name): these weights are untrained; what they write is noise, not music") }
    }
}

/// Refuses an option's value with one line.
func requireOption(
    _ condition: Bool, _ option: String, _ expected: String, _ found: some CustomStringConvertible
) throws {
    guard condition else { throw ValidationError("--\(option): expected \(expected), found \(found)") }
}
