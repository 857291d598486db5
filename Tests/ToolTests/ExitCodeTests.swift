import ComputeCore
import Foundation
import SMDIM
import Testing
import _TestSupport

@Suite struct ExitCodeTests {
    @Test(arguments: [
        (["frobnicate"], "frobnicate"),
        (["devices", "--frobnicate"], "--frobnicate"),
        (["generate"], "--model"),
        (["bench", "--length", "0"], "--length"),
        (["bench", "--batch", "-1"], "--batch"),
        (["bench", "--preset", "huge"], "huge"),
        (["bench", "--preset", "tiny", "--model", "m"], "--preset"),
        (["bench", "--preset", "tiny", "--device", "reference"], "--device"),
        (["verify", "--op", "no_such_operation"], "--op"),
        (["generate", "--model", "m", "--steps", "-3", "-o", "o"], "--steps"),
        (["generate", "--model", "m", "--count", "0", "-o", "o"], "--count"),
        (["generate", "--model", "m", "--top-p", "1.5", "-o", "o"], "--top-p"),
        (["generate", "--model", "m", "--sweep", "1", "-o", "o"], "--sweep"),
        (["generate", "--model", "m", "--sweep", "nan", "-o", "o"], "--sweep"),
        (["generate", "--model", "m", "--sweep", "0.5", "--order", "confidence", "-o", "o"], "--order scheduled"),
        (["generate", "--model", "m", "--temperature", "-1", "-o", "o"], "--temperature"),
        (["generate", "--model", "m", "--seed", "-1", "-o", "o"], "--seed"),
        (["infill", "in.mid", "--bars", "9-3", "--model", "m", "-o", "o"], "--bars"),
        (["infill", "in.mid", "--bars", "one", "--model", "m", "-o", "o"], "--bars"),
        (["extend", "in.mid", "--bars", "0", "--model", "m", "-o", "o"], "--bars"),
        (["vary", "in.mid", "--strength", "1.5", "--model", "m", "-o", "o"], "--strength"),
        (["complete", "in.mid", "--bars", "3-1", "--model", "m", "-o", "o"], "--bars"),
        (["harmonise", "in.mid", "--steps", "0", "--model", "m", "-o", "o"], "--steps"),
        (["harmonise", "in.mid", "--sampler", "none", "--model", "m", "-o", "o"], "--sampler"),
    ])
    func aWrongCommandLineIsTwo(_ arguments: [String], _ part: String) throws {
        try ToolRun(arguments).expectFailure(2, saying: part)
    }

    /// What the library finds wrong with an option, in the options' own names.
    @Test(arguments: [
        (["generate", "--length", "0"], "--length: expected"), (["generate", "--tempo", "0"], "--tempo: expected"),
        (["generate", "--tempo", "nan"], "--tempo: expected"), (["generate", "--key", "H:major"], "'H:major'"),
        (["generate", "--pitch-range", "9-3"], "'9-3'"), (["generate", "--scale", "H"], "'H'"),
        (["generate", "--steps", "0"], "--steps: expected 1 to 1000000, found 0"),
        (["generate", "--steps", "\(Int.max)"], "--steps: expected 1 to 1000000"),
        (
            ["generate", "--length", "8", "--steps", "1", "--first-sample", "2147483647", "--count", "2"],
            "--first-sample: expected"
        ),
        (["generate", "--count", "\(Int.max)"], "--count: expected"),
        (["generate", "--first-sample=-1"], "--first-sample: expected"),
        (["infill", melody, "--bars", "2", "--tokens", "0"], "--tokens: expected"),
        (["infill", melody, "--bars", "2", "--tokens", "0", "--no-grammar"], "--tokens: expected"),
        (["infill", melody, "--bars", "2", "--tokens", "\(Int.max)"], "--tokens: expected"),
        (["extend", melody, "--bars", "2", "--tokens", "0"], "--tokens: expected"),
        (["extend", melody, "--bars", "2", "--tokens", "\(Int.max)"], "--tokens: expected"),
        (["extend", melody, "--bars", "2000"], "--bars: expected"),
        (["harmonise", melody, "--first-sample", "3000000000"], "--first-sample: expected"),
        (["harmonise", melody, "--steps", "\(Int.max)", "--count", "5"], "--steps: expected"),
        (["complete", melody, "--bars", "2", "--first-sample", "3000000000"], "--first-sample: expected"),
        (["vary", melody, "--strength", "0", "--count=-1"], "--count: expected"),
        (["vary", melody, "--strength", "1", "--batch", "0"], "--batch: expected"),
        (["vary", melody, "--strength", "1", "--temperature", "nan"], "--temperature: expected"),
    ])
    func anOptionThatTheLibraryRefusesIsTwo(_ arguments: [String], _ part: String) throws {
        let folder = try TemporaryFolder()
        try ToolRun(
            arguments + ["--model", TinyFolder.shared.get(), "-o", folder.path("out.mid"), "--device", "reference"]
        ).expectFailure(2, saying: part)
        #expect(folder.names.isEmpty)
    }

    @Test func anOptionThatOneKindLacksIsTwoBeforeSongsAreRead() throws {
        let folder = try TemporaryFolder()
        for options in [["--weighting", "elbo"], ["--length", "24"], ["--swept", "0.5"]] {
            try ToolRun(
                ["train", "--kind", "roll", "--data", "d", "-o", folder.path("run"), "--device", "reference"] + options
            ).expectFailure(2, saying: "\(options[0]): expected")
        }
        #expect(folder.names.isEmpty)
    }

    @Test(arguments: [
        ("steps", "0"), ("batch", "0"), ("micro-batch", "3"), ("length", "0"), ("length", "17"), ("rate", "nan"),
        ("warm-up", "-1"), ("maximum-norm", "0"), ("average-decay", "1"), ("swept", "2"), ("checkpoint-every", "0"),
        ("valid-windows", "0"), ("decay", "-1"), ("decay", "nan"),
    ])
    func anOptionOfARunIsTwo(_ option: String, _ value: String) throws {
        let folder = try TemporaryFolder()
        let name = option == "micro-batch" ? "batch" : option
        try ToolRun([
            "train", "--data", "d", "-o", folder.path("run"), "--device", "reference", "--preset", "tiny",
            "--\(option)=\(value)",
        ]).expectFailure(2, saying: "--\(name): expected")
        #expect(folder.names.isEmpty)
    }

    @Test(arguments: [["--bars", "0"], ["--bars", "2305843009213693952"], ["--bars", "3", "--by-quarter"]])
    func barsThatEvaluateCannotCutAreTwo(_ options: [String]) throws {
        try ToolRun(["evaluate", "--generated", "g", "--reference", "r", "--reference-list", "l"] + options)
            .expectFailure(2, saying: "--bars: expected")
    }

    @Test func barsBehindTheLongestFileAreTwo() throws {
        let folder = try TemporaryFolder()
        try ToolRun([
            "infill", melody, "--bars", "\(Int.max)", "--model", TinyFolder.shared.get(),
            "-o", folder.path("out.mid"), "--device", "reference",
        ]).expectFailure(2, saying: "--bars: expected")
        #expect(folder.names.isEmpty)
    }

    @Test func resultsThatAreLostAreOne() throws {
        let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
        for arguments in [["tokenize", melody], ["devices"], ["help", "train"], ["--version"]] {
            try ToolRun(arguments, to: full).expectFailure(1, saying: "stdout: cannot be written: ")
        }
    }

    @Test func anErrorIsOneLineWhateverItNames() throws {
        try ToolRun(["tokenize", "no\r\nsuch", "-o", "out"]).expectFailure(1, saying: "no such")
    }

    @Test func everythingElseIsOne() throws {
        let folder = try TemporaryFolder()
        let (missing, output) = (folder.path("missing"), folder.path("out"))
        try ToolRun(["logits", "--model", missing, "--input", missing, "-o", output])
            .expectFailure(1, saying: "missing/config.json")
        try ToolRun(["logits", "--model", golden, "--input", missing, "-o", output]).expectFailure(
            1, saying: missing)
        try ToolRun(["logits", "--model", golden, "--input", "\(golden)/expected.safetensors", "-o", output])
            .expectFailure(1, saying: "tokens: expected a tensor of this name")
        try ToolRun(["tokenize", missing, "-o", output]).expectFailure(1, saying: missing)
        try ToolRun(["detokenize", missing, "-o", output]).expectFailure(1, saying: missing)
        try ToolRun(["init", "--preset", "tiny", "--tokenizer", missing, "-o", output])
            .expectFailure(1, saying: missing)
        try ToolRun(["generate", "--model", missing, "-o", output]).expectFailure(1, saying: "missing/config.json")
        try ToolRun(["generate", "--model", golden, "-o", folder.path("no/such/folder/out.mid")])
            .expectFailure(1, saying: "no/such/folder")
        try ToolRun(["bench", "--preset", "tiny", "--baseline", missing]).expectFailure(1, saying: "missing")
        for option in ["--generated", "--reference-list"] {
            let list = try TemporaryFolder().path("list")
            try "".write(toFile: list, atomically: true, encoding: .utf8)
            var arguments = ["--generated": folder.url.path, "--reference": folder.url.path, "--reference-list": list]
            arguments[option] = missing
            try ToolRun(["evaluate"] + arguments.flatMap { [$0.key, $0.value] })
                .expectFailure(1, saying: "\(missing): cannot be read: ")
        }
        try ToolRun(["harmonise", missing, "--model", golden, "-o", output]).expectFailure(1, saying: missing)
        // A model of tokens is no model of rolls.
        try ToolRun(["harmonise", melody, "--model", golden, "-o", output])
            .expectFailure(1, saying: "model_type: expected smdim-roll")
        #expect(folder.names.isEmpty, "nothing is half-written")
    }

    @Test func aDamagedModelIsNamed() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(atPath: golden, toPath: folder.path("model"))
        let weights = folder.path("model/model.safetensors")
        try Data(contentsOf: URL(filePath: weights)).dropLast(5).write(to: URL(filePath: weights))
        for command in [["logits", "--input", weights, "-o", folder.path("out")], ["bench"]] {
            try ToolRun(command + ["--model", folder.path("model")])
                .expectFailure(1, saying: "smdim: \(folder.path("model")): model.safetensors: data: expected")
        }
        #expect(folder.names == ["model"])
    }

    @Test func aDamagedFileIsNamedOnce() throws {
        let folder = try TemporaryFolder()
        let input = folder.path("in.safetensors")
        try Data([1, 2, 3]).write(to: URL(filePath: input))
        try ToolRun(["logits", "--model", golden, "--input", input, "-o", folder.path("out")])
            .expectFailure(1, saying: "smdim: \(input): header length: expected 8 bytes, found 3")
    }

    @Test(arguments: [
        ("--tuning", #"{"device": 3}"#, "a tuning file of `smdim tune`, found device: a value that is no String"),
        ("--tuning", #"{"driver": ""}"#, #"a tuning file of `smdim tune`, found text: no "device""#),
        ("--baseline", #"{"device": "x""#, "what smdim bench --json printed, found byte 14: no '}'"),
    ])
    func whatIsWrongInAFileOfJSONIsSaid(_ option: String, _ text: String, _ message: String) throws {
        let folder = try TemporaryFolder()
        let file = folder.path("x.json")
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        try ToolRun(["bench", "--preset", "tiny", option, file])
            .expectFailure(1, saying: "\(file): expected \(message)")
    }

    @Test func gradientsNameTheFileOfTheirTokens() throws {
        let folder = try TemporaryFolder()
        let input = folder.path("in.safetensors")
        let tensors = try ["tokens.noisy": 6, "tokens.clean": 6, "mask": 5].mapValues { length in
            try HostTensor([1, length], [Int32](repeating: 0, count: length))
        }
        try Safetensors.write(tensors, to: URL(filePath: input))
        try ToolRun(["gradients", "--model", golden, "--input", input, "-o", folder.path("out")])
            .expectFailure(1, saying: "\(input): gradients: mask: expected [1, 6]")
    }

    @Test(arguments: [["--help"], ["help", "generate"], ["--version"], ["bench", "--help"]])
    func askingForHelpIsZero(_ arguments: [String]) throws {
        let run = try ToolRun(arguments)
        #expect(run.status == 0 && run.error.isEmpty && !run.output.isEmpty)
    }
}
