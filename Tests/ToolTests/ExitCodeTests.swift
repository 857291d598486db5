import Foundation
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
        try ToolRun(["logits", "--model", folder.path("model"), "--input", weights, "-o", folder.path("out")])
            .expectFailure(1, saying: "model.safetensors: data: expected")
        #expect(folder.names == ["model"])
    }

    @Test(arguments: [["--help"], ["help", "generate"], ["--version"], ["bench", "--help"]])
    func askingForHelpIsZero(_ arguments: [String]) throws {
        let run = try ToolRun(arguments)
        #expect(run.status == 0 && run.error.isEmpty && !run.output.isEmpty)
    }
}
