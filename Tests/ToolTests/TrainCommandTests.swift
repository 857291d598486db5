import Foundation
import SMDIM
import Testing
import _TestSupport

/// Songs of two bars at pitches and of lengths of their own, and runs of a few steps on them.
private struct TrainFolder {
    let folder: TemporaryFolder
    var songs: String { folder.path("songs") }
    var run: String { folder.path("run") }

    init(songs count: Int = 6) throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: songs, withIntermediateDirectories: true)
        for song in 0..<count {
            // Bar, then position, pitch, velocity and duration of the built-in tokenizer, four times.
            let notes: [[Int]] = (0..<4).map { [174 + 4 * $0, 40 + song + 2 * $0, 114, 126 + song] }
            let bar: [Int] = [4] + notes.joined()
            let tokens = folder.path("tokens.json")
            try #"{"ids": \#(bar + bar)}"#.write(toFile: tokens, atomically: true, encoding: .utf8)
            let written = try ToolRun(["detokenize", tokens, "-o", "\(songs)/\(song).mid"])
            try #require(written.status == 0, "\(written.error)")
        }
    }

    /// Of a run that is new.
    var arguments: [String] { ["train", "--data", songs, "--preset", "tiny", "-o", run] + Self.sizes }

    func train(_ more: [String]) throws -> ToolRun { try ToolRun(arguments + more) }

    func resume(_ arguments: [String] = []) throws -> ToolRun {
        try ToolRun(["train", "--data", songs, "-o", run, "--resume"] + arguments)
    }

    static let sizes = [
        "--steps", "2", "--batch", "4", "--length", "16", "--checkpoint-every", "1", "--valid-windows", "1",
    ]

    /// What the run measured on the songs that judge, at each checkpoint.
    func measures() throws -> [Double] {
        struct Entry: Decodable { let valid: Double }
        return try String(contentsOfFile: "\(run)/log.jsonl", encoding: .utf8).split(separator: "\n")
            .map { try JSONDecoder().decode(Entry.self, from: Data($0.utf8)).valid }
    }
}

@Suite struct TrainCommandTests {
    @Test func aFolderOfAnOlderRunIsRefusedUnlessItGoesOn() throws {
        let train = try TrainFolder(songs: 0)
        let older = "\(train.run)/checkpoint-00002000"
        try FileManager.default.createDirectory(atPath: older, withIntermediateDirectories: true)
        try train.train([]).expectFailure(
            1, saying: "run: expected no checkpoints, found checkpoint-00002000; use --resume or another folder")
        #expect(try FileManager.default.contentsOfDirectory(atPath: train.run) == ["checkpoint-00002000"])
    }

    /// Runs `body`, whose processes can be sent the signal: a thread of Dispatch blocks it, and processes inherit that.
    private static func unblocked(_ signal: Int32, _ body: () throws -> Void) rethrows {
        var (wanted, before) = (sigset_t(), sigset_t())
        sigemptyset(&wanted)
        sigaddset(&wanted, signal)
        pthread_sigmask(SIG_UNBLOCK, &wanted, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try body()
    }

    @Test(.timeLimit(.minutes(1)), arguments: [SIGINT, SIGTERM])
    func anInterruptedRunFailsAndCanGoOn(_ signal: Int32) throws {
        let train = try TrainFolder()
        let (process, error) = (try ToolRun.process(train.arguments + ["--steps", "2000"]), Pipe())
        (process.standardOutput, process.standardError) = (FileHandle.nullDevice, error)
        try Self.unblocked(signal) { try process.run() }
        while process.isRunning, !FileManager.default.fileExists(atPath: "\(train.run)/log.jsonl") { usleep(10_000) }
        kill(process.processIdentifier, signal)
        let text = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 1)
        #expect(text.contains("run: interrupted after ") && text.hasSuffix(" steps; go on with --resume\n"), "\(text)")
        let names = try FileManager.default.contentsOfDirectory(atPath: train.run)
        #expect(names.contains { $0.hasPrefix("checkpoint-") } && !names.contains("model"), "\(names)")
    }

    @Test func resumingWithoutACheckpointMakesNothing() throws {
        let train = try TrainFolder(songs: 0)
        try train.resume().expectFailure(1, saying: "run: expected a checkpoint to resume from, found none")
        #expect(train.folder.names == ["songs"])
    }

    /// The length of the windows is that of the run, the prior that of the network, whatever songs it goes on with.
    @Test func aModelOfRollsGoesOnWithOtherSongs() throws {
        let (folder, others) = (try TrainFolder().folder, try TrainFolder(songs: 9).folder)
        let sizes = ["--kind", "roll", "--steps", "1", "--batch", "1", "--valid-windows", "1", "--device", "reference"]
        func model(of songs: TemporaryFolder, in name: String, _ arguments: [String]) throws -> RollConfiguration {
            let run = try ToolRun(
                ["train", "--data", songs.path("songs"), "-o", folder.path(name)] + sizes + arguments)
            try #require(run.status == 0, "\(run.error)")
            return try ModelFolder<RollConfiguration>(URL(filePath: folder.path("\(name)/model"))).configuration
        }
        let start = ["--init", folder.path("first/model")]
        let first = try model(of: folder, in: "first", ["--preset", "tiny", "--length", "32"])
        let second = try model(of: others, in: "second", start + ["--length", "16"])
        let fresh = try model(of: others, in: "fresh", ["--preset", "tiny", "--length", "16"])
        #expect((first.windowSteps, second.windowSteps) == (32, 16))
        #expect(second.priorDensities == first.priorDensities && fresh.priorDensities != first.priorDensities)
        try ToolRun(["train", "--data", "d", "-o", "o", "--preset", "tiny"] + start)
            .expectFailure(2, saying: "--preset: expected none beside --init")
    }

    /// Which songs judge is drawn under the seed of the run, and what was logged behind its checkpoint is forgotten.
    @Test(arguments: ["token", "roll"]) func aResumedRunSplitsTheSongsAsItDid(_ kind: String) throws {
        let train = try TrainFolder()
        let whole = try train.train(["--kind", kind, "--seed", "5"])
        try #require(whole.status == 0, "\(whole.error)")
        for name in ["checkpoint-00000002", "corpus.safetensors"] {
            try? FileManager.default.removeItem(atPath: "\(train.run)/\(name)")
        }
        let measures = try train.measures()
        let log = "\(train.run)/log.jsonl"
        try (String(contentsOfFile: log, encoding: .utf8) + "{\"gradientNorm\":")
            .write(toFile: log, atomically: true, encoding: .utf8)
        let resumed = try train.resume(["--kind", kind])
        #expect(resumed.status == 0, "\(resumed.error)")
        #expect(try measures.count == 2 && train.measures() == measures)
    }

    @Test(arguments: ["token", "roll"]) func aRunGoesOnWithItsOwnSongs(_ kind: String) throws {
        let train = try TrainFolder()
        let first = try train.train(["--kind", kind])
        try #require(first.status == 0, "\(first.error)")
        for name in ["run/checkpoint-00000002", "run/corpus.safetensors", "songs/3.mid"] {
            try? FileManager.default.removeItem(atPath: train.folder.path(name))
        }
        let unit = kind == "token" ? "170 tokens" : "10 bars"
        let resumed = try train.resume(["--kind", kind])
        #expect(resumed.status == 1)
        #expect(
            resumed.error.contains("training.json: songs: expected 5 songs of \(unit) to learn from, 1 of "),
            "\(resumed.error)")
    }

    @Test(arguments: [
        ["--steps", "4"], ["--seed", "0"], ["--preset", "tiny"], ["--init", "m"], ["--tokenizer", "t"],
    ])
    func aRunGoesOnWithItsOwnOptions(_ option: [String]) throws {
        try ToolRun(["train", "--data", "d", "-o", "o", "--resume"] + option).expectFailure(
            2, saying: "--resume: expected no options of the run, which its checkpoint has, found \(option[0])")
    }

    /// An id means what it meant where the weights come from.
    @Test func trainingGoesOnInTheTokensOfItsModel() throws {
        let train = try TrainFolder()
        let shifted = train.folder.path("shifted.json")
        let made = try ToolRun(["init", "--preset", "tiny", "-o", train.folder.path("first")])
        try #require(made.status == 0, "\(made.error)")
        let tokenizer = "\(train.folder.path("first"))/tokenizer.json"
        try String(contentsOfFile: tokenizer, encoding: .utf8)
            .replacing(/"pitch_range" ?: ?\[\s*21,\s*109\s*\]/, with: "\"pitch_range\": [30, 118]")
            .write(toFile: shifted, atomically: true, encoding: .utf8)
        let start = ["--init", train.folder.path("first"), "--data", train.songs, "-o", train.run] + TrainFolder.sizes
        let other = try ToolRun(["train", "--tokenizer", shifted] + start)
        #expect(other.status == 2 && other.error.contains("--init: expected songs in the tokens of "), "\(other.error)")
        try FileManager.default.removeItem(atPath: train.run)
        // The built-in tokenizer of a new model has other tokens than that of `init`.
        let run = try ToolRun(["train"] + start)
        #expect(run.status == 0, "\(run.error)")
        #expect(
            FileManager.default.contentsEqual(atPath: tokenizer, andPath: "\(train.run)/model/tokenizer.json"))
    }

    @Test func aTrainedModelIsNotReplacedByARandomOne() throws {
        let folder = try TemporaryFolder()
        let command = ["init", "--preset", "tiny", "-o", folder.path("m")]
        #expect(try ToolRun(command).status == 0 && folder.names == ["m"])
        try ToolRun(command).expectFailure(1, saying: "m: cannot be written: there is a config.json already")
    }

    @Test func aPlanIsOfTheModelThatTrainingStartsFrom() throws {
        let folder = try TemporaryFolder()
        func plan(_ arguments: [String]) throws -> String {
            let run = try ToolRun(
                ["train", "--data", "d", "-o", folder.path("run"), "--plan", "--device", "reference"]
                    + TrainFolder.sizes + arguments)
            #expect(run.status == 0, "\(run.error)")
            return run.output
        }
        #expect(try ToolRun(["init", "--preset", "tiny", "-o", folder.path("model")]).status == 0)
        let tokenizer = folder.path("model/tokenizer.json")
        #expect(
            try plan(["--init", folder.path("model")]) == plan(["--preset", "tiny", "--tokenizer", tokenizer]))
    }

    @Test func filesThatCannotBeUsedAreNamed() throws {
        let train = try TrainFolder(songs: 1)
        let (missing, file) = (train.folder.path("missing"), train.folder.path("tokens.json"))
        func run(_ data: String, _ output: String) throws -> ToolRun {
            try ToolRun(
                ["train", "--data", data, "--preset", "tiny", "--device", "reference", "-o", output] + TrainFolder.sizes
            )
        }
        try run(missing, train.run).expectFailure(1, saying: "\(missing): cannot be read: ")
        try run(train.songs, "\(file)/run").expectFailure(1, saying: "\(file)/run: cannot be written: ")
        for name in ["train.txt", "valid.txt"] {
            try Data([0x30, 0xFF]).write(to: URL(filePath: "\(train.songs)/\(name)"))
        }
        try run(train.songs, train.run).expectFailure(1, saying: "songs/train.txt: cannot be read: ")
    }
}
