import Foundation
import Music
import OpenCLBackend
import Pipeline
import SMDIM

/// A reader under test, named by the environment variable `READER`.
enum Reader: String, CaseIterable {
    case midi, safetensors, config, tokenizer, checkpoint, corpus, tokens, tuning

    static let chosen: Reader = {
        let name = ProcessInfo.processInfo.environment["READER"] ?? ""
        guard let reader = Reader(rawValue: name) else {
            let names = Reader.allCases.map(\.rawValue).joined(separator: ", ")
            FileHandle.standardError.write(Data("READER: expected one of \(names), found '\(name)'\n".utf8))
            exit(2)
        }
        return reader
    }()

    private static let standardTokenizer = REMITokenizer()

    /// Reads the bytes; an error is the reader's answer, a crash is what the fuzzer looks for.
    func read(_ bytes: [UInt8]) throws {
        switch self {
        case .midi:
            let file = try MIDIFile.read(bytes).file
            let notes = file.notes()
            _ = try? Self.standardTokenizer.encodeAligned(notes.pitched, division: file.division)
            _ = try? RollCorpus.Song(file)
            // What was read can be written, and reads as the same notes.
            let again = try MIDIFile.read(file.serialized()).file.notes()
            precondition(again.notes == notes.notes, "a file changes when it is written and read")
        case .safetensors:
            let file = try Safetensors(Data(bytes), named: "fuzz")
            for name in file.entries.keys { _ = try file.tensor(name) }
        case .config:
            _ = try? ModelConfiguration(json: Data(bytes)).parameters
            _ = try RollConfiguration(json: Data(bytes)).parameters
        case .tokenizer:
            let configuration = try TokenizerConfiguration(tokenizerJSON: bytes)
            _ = REMITokenizer(configuration)
            let again = try TokenizerConfiguration(tokenizerJSON: configuration.tokenizerJSON())
            precondition(again == configuration, "a tokenizer changes when it is written and read")
        case .checkpoint: try Resumption.shared.read(bytes)
        case .corpus: _ = try TokenCorpus(tokens: Safetensors(Data(bytes), named: "fuzz"), named: "fuzz")
        case .tokens:
            let file = try TokenFile(json: bytes, named: "fuzz")
            _ = try? file.check(against: Self.standardTokenizer.vocabulary, path: "fuzz")
            let (midi, report) = Self.standardTokenizer.midiFile(from: file.ids, tempo: .standard)
            let again = try MIDIFile.read(midi.serialized()).file.notes()
            precondition(again.notes.count <= report.notes, "a file has more notes than its tokens")
        case .tuning: _ = try Tuning(json: Data(bytes), named: "fuzz", device: "device", driver: "driver")
        }
    }
}

/// libFuzzer's loop; the package manager renames the fuzzer's own `main` away.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ testOneInput: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@main
enum Fuzz {
    /// Whether `ANSWERS` asks for the readers' errors, for looking at single inputs.
    private static let saysAnswers = ProcessInfo.processInfo.environment["ANSWERS"] != nil

    static func main() {
        _ = Reader.chosen
        var (count, arguments) = (CommandLine.argc, CommandLine.unsafeArgv)
        exit(
            runFuzzer(&count, &arguments) { start, count in
                Fuzz.readOnce([UInt8](UnsafeBufferPointer(start: start, count: count)))
                return 0
            })
    }

    private static func readOnce(_ bytes: [UInt8]) {
        do { try Reader.chosen.read(bytes) } catch {
            if saysAnswers { print(error) }
        }
    }
}
