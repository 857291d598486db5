import ComputeCore
import Foundation
import Music
import Pipeline

/// A folder for the readers that take files, and what they need beside the file.
final class Scratch: Sendable {
    static let shared = Scratch()

    private let folder: URL
    private let corpus: Corpus?

    private init() {
        folder = FileManager.default.temporaryDirectory.appending(path: "smdim-fuzz-\(getpid())")
        let checkpoint = folder.appending(path: "checkpoint-00000001")
        try? FileManager.default.createDirectory(at: checkpoint, withIntermediateDirectories: true)
        corpus = ProcessInfo.processInfo.environment["CORPUS"].flatMap { try? Corpus(tokenFile: URL(filePath: $0)) }
    }

    /// The first two bytes say how long `training.json` is; the rest is `state.safetensors`.
    func readCheckpoint(_ bytes: [UInt8]) throws {
        guard let corpus else {
            FileHandle.standardError.write(Data("CORPUS: expected a token file that smdim train wrote\n".utf8))
            exit(2)
        }
        guard bytes.count >= 2 else { return }
        let rest = bytes.dropFirst(2)
        let count = min(Int(bytes[0]) | Int(bytes[1]) << 8, rest.count)
        let checkpoint = folder.appending(path: "checkpoint-00000001")
        try Data(rest.prefix(count)).write(to: checkpoint.appending(path: "training.json"))
        try Data(rest.dropFirst(count)).write(to: checkpoint.appending(path: "state.safetensors"))
        _ = try Trainer<TokenTask>(resuming: folder, corpus: corpus, on: NoDevice())
    }

    func readCorpus(_ bytes: [UInt8]) throws {
        let file = folder.appending(path: "corpus.safetensors")
        try Data(bytes).write(to: file)
        _ = try Corpus(tokenFile: file)
    }
}

/// A backend that takes nothing, so that reading a checkpoint ends when it has been read.
private struct NoDevice: Backend {
    struct Refusal: Error {}

    var identity: BackendIdentity { BackendIdentity(device: "none", driver: "none", kernelPath: "none") }
    func prepare(_ parameters: [ParameterSource]) throws -> any ParameterStore { throw Refusal() }
    func compile(_ plan: Plan, parameters: any ParameterStore) throws -> any Executable { throw Refusal() }
    func memory(of plan: Plan) throws -> MemoryPlan { throw Refusal() }
    func memory(of parameters: [ParameterDeclaration]) -> Int { 0 }
}
