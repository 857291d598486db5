import ArgumentParser
import ComputeCore
import Foundation
import Music
import SMDIM

struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a model folder with seeded, untrained weights.")

    @Option(help: "Sizes: paper, small or tiny.")
    var preset: ModelConfiguration.Preset

    @Option(help: "MidiTok's tokenizer.json; the built-in tokenizer if not given.")
    var tokenizer: String?

    @Option(help: "Seed of the weights.")
    var seed: UInt64 = 0

    @Option(name: .shortAndLong, help: "Folder.")
    var output: String

    func run() throws {
        for name in ["config.json", "model.safetensors"] where isThere(name) {
            throw FileError.unwritable(path: output, reason: "there is a \(name) already; take another folder")
        }
        let tokenizer = try tokenizer.map(REMITokenizer.init(path:)) ?? REMITokenizer()
        let configuration = ModelConfiguration(preset, vocabularySize: tokenizer.vocabulary.count)
        try ModelFolder.write(
            configuration, weights: configuration.initialWeights(seed: seed), isTrained: false,
            tokenizer: Data(tokenizer.configuration.tokenizerJSON()),
            readme: """
                # \(URL(filePath: output).lastPathComponent)

                Preset `\(preset.rawValue)`, untrained: weights drawn under seed \(seed).

                """,
            to: URL(filePath: output))
        try Terminal.result(
            "\(output): preset \(preset.rawValue), \(tokenizer.vocabulary.count) tokens, untrained, seed \(seed)")
    }
}

extension Init {
    private func isThere(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: URL(filePath: output).appending(path: name).path)
    }
}

struct Logits: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the network once on given tokens.")

    @Option(help: "Model folder.")
    var model: String

    @Option(help: "Safetensors file with tokens, I32 [B, L].")
    var input: String

    @Option(name: .shortAndLong, help: "Safetensors file for logits, F32 [B, L, V].")
    var output: String

    @Option(help: "Type of the factors of products: f32 or bf16.")
    var precision = Precision.float32

    @OptionGroup var device: DeviceOptions

    func run() throws {
        let backend = try device.backend()
        let (configuration, weights) = try modelWeights(model, precision: precision)
        let logits = try naming(input) {
            let tokens = try Safetensors(contentsOf: URL(filePath: input)).tensor("tokens")
            return try TokenDenoiser(configuration, precision: precision)
                .logits(of: tokens, weights: weights, on: backend)
        }
        try Safetensors.write(["logits": logits], to: URL(filePath: output))
        try Terminal.result("\(output): logits \(logits.shape)")
    }
}
