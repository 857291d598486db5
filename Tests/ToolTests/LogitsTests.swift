import ComputeCore
import Foundation
import SMDIM
import Testing
import _TestSupport

@Suite struct LogitsTests {
    @Test(arguments: ["reference", "0"])
    func logitsAreGolden(_ device: String) throws {
        let folder = try TemporaryFolder()
        let expected = try Safetensors(contentsOf: URL(filePath: golden).appending(path: "expected.safetensors"))
        let input = URL(filePath: folder.path("in.safetensors"))
        try Safetensors.write(["tokens": expected.tensor("tokens.noisy")], to: input)
        let output = folder.path("out.safetensors")
        let run = try ToolRun([
            "logits", "--model", golden, "--input", input.path, "-o", output, "--device", device,
        ])
        #expect(run.status == 0, "\(run.error)")
        let found = try Safetensors(contentsOf: URL(filePath: output)).tensor("logits")
        let reference = try expected.tensor("logits")
        try #require(found.shape == reference.shape)
        let worst = try zip(found.floats(), reference.floats()).map { abs($0 - $1) / (1 + abs($1)) }.max()
        #expect(try #require(worst) <= 1e-4)
    }

    @Test(arguments: [Int32(-1), 22, .max])
    func idsAreChecked(_ id: Int32) throws {
        let folder = try TemporaryFolder()
        let input = URL(filePath: folder.path("in.safetensors"))
        try Safetensors.write(["tokens": HostTensor([1, 3], [0, 21, id])], to: input)
        try ToolRun([
            "logits", "--model", golden, "--input", input.path, "-o", folder.path("out"), "--device", "reference",
        ])
        .expectFailure(1, saying: "tokens[2]: expected an id in 0...21, found \(id)")
        #expect(folder.names == ["in.safetensors"])
    }
}

@Suite struct InitTests {
    @Test func aSeedNamesTheModel() throws {
        let folder = try TemporaryFolder()
        for (name, seed) in [("a", "7"), ("b", "7"), ("c", "8")] {
            let run = try ToolRun(["init", "--preset", "tiny", "--seed", seed, "-o", folder.path(name)])
            #expect(run.status == 0 && run.output.contains("untrained"), "\(run.error)")
        }
        func bytes(_ name: String) throws -> Data {
            try Data(contentsOf: URL(filePath: folder.path("\(name)/model.safetensors")))
        }
        #expect(try bytes("a") == bytes("b"))
        #expect(try bytes("a") != bytes("c"))
        #expect(try ModelFolder<ModelConfiguration>(URL(filePath: folder.path("a"))).isUntrained())
    }
}
