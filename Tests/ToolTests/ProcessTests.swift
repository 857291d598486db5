import Foundation
import SMDIM
import Testing
import _TestSupport

/// What several processes, or processes with other numbers of threads, make of the same command.
@Suite struct ProcessTests {
    private static func logits(_ folder: TemporaryFolder, _ name: String) -> [String] {
        ["logits", "--model", golden, "--input", folder.path("in.safetensors"), "-o", folder.path(name)]
    }

    /// The golden model's noisy tokens under the name that `logits` reads.
    private static func writeInput(_ folder: TemporaryFolder) throws {
        let expected = try Safetensors(contentsOf: URL(filePath: golden).appending(path: "expected.safetensors"))
        let url = URL(filePath: folder.path("in.safetensors"))
        try Safetensors.write(["tokens": expected.tensor("tokens.noisy")], to: url)
    }

    @Test(arguments: ["vector", "group", "simple"])
    func theNumberOfThreadsChangesNoBit(_ kernels: String) throws {
        let folder = try TemporaryFolder()
        let files = try ["1", "2"].map { threads in
            let run = try ToolRun(
                [
                    "gradients", "--model", golden, "--input", "\(golden)/expected.safetensors", "-o",
                    folder.path(threads), "--kernels", kernels,
                ], environment: ["POCL_MAX_PTHREAD_COUNT": threads])
            #expect(run.status == 0, "\(run.error)")
            return try Data(contentsOf: URL(filePath: folder.path(threads)))
        }
        #expect(files[0] == files[1])
    }

    /// Work-groups that share sums shrink to a power of two that the device has; what cannot shrink is refused before it runs.
    @Test(arguments: [
        (
            100, ["layer_norm", "layer_norm_backward", "sum_values", "selective_scan", "grammar_draw"],
            refused: ["attention"]
        ),
        (192, ["layer_norm", "attention"], refused: []),
    ])
    func aDeviceMayHaveSmallWorkGroups(_ limit: Int, _ passed: [String], refused: [String]) throws {
        for operation in passed + refused {
            let run = try ToolRun(
                ["verify", "--kernels", "group", "--op", operation],
                environment: ["POCL_MAX_WORK_GROUP_SIZE": "\(limit)"])
            #expect((run.status == 0) == passed.contains(operation), "\(operation): \(run.output) \(run.error)")
        }
    }

    /// Where PoCL has a thread for each of this machine's processors.
    @Test(arguments: [[:], ["POCL_AFFINITY": "0"], ["POCL_MAX_PTHREAD_COUNT": "1"]])
    func threadsOfTheDriverKeepTheirProcessors(_ environment: [String: String]) throws {
        let process = try ToolRun.process(["rounds", "linear", "--sizes", "8", "32", "32"], environment: environment)
        let pinned = try Self.pinnedThreads(of: process)
        let processors = ProcessInfo.processInfo.processorCount
        let takesAll = ProcessInfo.processInfo.activeProcessorCount == processors && processors > 1
        #expect(pinned == (environment.isEmpty && takesAll ? Array(0..<processors) : []))
    }

    /// As a second process beside another that was given the first processor.
    @Test(.enabled(if: ProcessInfo.processInfo.processorCount > 1, "needs two processors"))
    func threadsStayWhereTheProcessWasPut() throws {
        let process = try ToolRun.process(["rounds", "linear", "--sizes", "8", "32", "32"])
        process.arguments = try ["-c", "1", #require(process.executableURL).path] + #require(process.arguments)
        process.executableURL = URL(filePath: "/usr/bin/taskset")
        #expect(try Set(Self.pinnedThreads(of: process)) == [1])
    }

    /// The processors of the threads of `rounds` that may run on one alone, when it is ready.
    private static func pinnedThreads(of process: Process) throws -> [Int] {
        let (input, output) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        defer {
            try? input.fileHandleForWriting.close()
            process.waitUntilExit()
        }
        let ready = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        #expect(ready.hasPrefix("ready"))
        let tasks = URL(filePath: "/proc/\(process.processIdentifier)/task")
        return try FileManager.default.contentsOfDirectory(at: tasks, includingPropertiesForKeys: nil).compactMap {
            task in
            let status = try String(contentsOf: task.appending(path: "status"), encoding: .utf8)
            let line = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
            return line?.split(separator: "\t").last.flatMap { Int($0) }
        }
        .sorted()
    }

    /// Both want every program of one cache of ours and one of the driver.
    @Test func twoProcessesStartOnOneEmptyCache() async throws {
        let folder = try TemporaryFolder()
        try Self.writeInput(folder)
        let environment = ["SMDIM_CACHE_DIR": folder.path("cache"), "POCL_CACHE_DIR": folder.path("pocl")]
        let names = ["a", "b"]
        let runs = try await withThrowingTaskGroup(of: ToolRun.self) { group in
            for name in names {
                group.addTask { try ToolRun(Self.logits(folder, name), environment: environment) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for run in runs { #expect(run.status == 0 && run.error.isEmpty, "\(run.error)") }
        let third = try ToolRun(Self.logits(folder, "c"), environment: environment)
        #expect(third.status == 0, "\(third.error)")
        let files = try (names + ["c"]).map { try Data(contentsOf: URL(filePath: folder.path($0))) }
        #expect(Set(files).count == 1)
        let cached = try FileManager.default.contentsOfDirectory(atPath: folder.path("cache"))
        #expect(!cached.isEmpty && cached.allSatisfy { $0.hasSuffix(".clbin") || $0 == "swept" }, "\(cached)")
    }
}
