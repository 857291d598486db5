import Foundation
import Testing
import _TestSupport

@Suite struct PieceOutputTests {
    @Test func aFileIsNoFolder() throws {
        let folder = try TemporaryFolder()
        try "".write(toFile: folder.path("file"), atomically: true, encoding: .utf8)
        try ToolRun([
            "generate", "--model", TinyFolder.shared.get(), "-o", folder.path("file/out.mid"), "--device", "reference",
        ]).expectFailure(1, saying: "the folder \(folder.path("file")) is not there or not writable")
    }

    /// Pieces of two calls share a folder.
    @Test func filesAreNumberedBySample() throws {
        let folder = try TemporaryFolder()
        for (first, count) in [(0, 2), (2, 1), (1000, 2)] {
            let run = try ToolRun([
                "generate", "--model", TinyFolder.shared.get(), "--length", "8", "--steps", "1", "--seed", "1",
                "--first-sample", "\(first)", "--count", "\(count)", "-o", folder.url.path, "--device", "reference",
            ])
            #expect(run.status == 0, "\(run.error)")
        }
        #expect(folder.names == ["000.mid", "001.mid", "002.mid", "1000.mid", "1001.mid"])
    }
}
