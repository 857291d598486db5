import Foundation
import Testing
import _TestSupport

@Suite struct BenchCommandTests {
    private static let bench = ["bench", "--preset", "tiny", "--length", "8", "--skip-start"]

    /// What a test reads of a report.
    private struct Report: Decodable {
        struct Family: Decodable {
            let name: String
            let calls: Int
            let seconds: Double
        }
        let kernels: [Family]
    }

    @Test func aTableAndATraceAreOfTheSameRun() throws {
        struct Trace: Decodable {
            struct Event: Decodable {
                let name: String
                let dur: Double
            }
            let traceEvents: [Event]
        }
        let file = try TemporaryFolder().path("trace.json")
        let run = try ToolRun(Self.bench + ["--repetitions", "5", "--json", "--trace", file])
        try #require(run.status == 0, "\(run.error)")
        let kernels = try JSONDecoder().decode(Report.self, from: Data(run.output.utf8)).kernels
        let trace = try JSONDecoder().decode(Trace.self, from: Data(contentsOf: URL(filePath: file)))
        #expect(!kernels.isEmpty)
        for kernel in kernels {
            let events = trace.traceEvents.filter { $0.name == kernel.name }
            #expect(events.count == kernel.calls)
            #expect(abs(events.reduce(0) { $0 + $1.dur } * 1e-6 - kernel.seconds) < 1e-9, "\(kernel)")
        }
    }

    @Test func aBaselineOfAnotherRunIsRefused() throws {
        let folder = try TemporaryFolder()
        let baseline = folder.path("baseline.json")
        let arguments = Self.bench + ["--repetitions", "1", "--json"]
        let run = try ToolRun(arguments)
        try #require(run.status == 0, "\(run.error)")
        func write(_ text: String) throws { try text.write(toFile: baseline, atomically: true, encoding: .utf8) }
        for (key, value, other) in [
            ("length", "8", "16"), ("batch", "1", "2"), ("preset", "\"tiny\"", "\"paper\""),
            ("step", "\"denoising\"", "\"training\""), ("precision", "\"f32\"", "\"bf16\""),
            ("mixer", "\"mamba\"", "\"attention\""),
        ] {
            let changed = run.output.replacing("\"\(key)\" : \(value)", with: "\"\(key)\" : \(other)")
            try #require(changed != run.output)
            try write(changed)
            try ToolRun(arguments + ["--baseline", baseline]).expectFailure(
                2, saying: "--baseline: expected \(key) \(value.filter { $0 != "\"" }), found ")
        }
        try write(run.output.replacing(/"device" : "[^"]*"/, with: "\"device\" : \"abacus\""))
        try ToolRun(arguments + ["--baseline", baseline]).expectFailure(2, saying: "found abacus in \(baseline)")
        try write(run.output.replacing(/"kernel_path" : "[^"]*"/, with: "\"kernel_path\" : \"beads\""))
        try ToolRun(arguments + ["--baseline", baseline]).expectFailure(2, saying: "found beads in \(baseline)")
        try write("{}")
        try ToolRun(arguments + ["--baseline", baseline]).expectFailure(
            1, saying: "\(baseline): expected what smdim bench --json printed, found ")
        try write(run.output)
        let same = try ToolRun(arguments + ["--baseline", baseline, "--margin", "1000"])
        #expect(same.status == 0, "\(same.error)")
    }

    @Test func aSlowerKernelFails() throws {
        let baseline = try TemporaryFolder().path("baseline.json")
        let run = try ToolRun(Self.bench + ["--repetitions", "1", "--json"])
        try #require(run.status == 0, "\(run.error)")
        let faster = run.output.replacing(/"seconds" : [0-9.e-]+/, with: "\"seconds\" : 1e-9")
        try faster.write(toFile: baseline, atomically: true, encoding: .utf8)
        let slower = try ToolRun(Self.bench + ["--repetitions", "1", "--baseline", baseline])
        #expect(slower.status == 1)
        for kernel in try JSONDecoder().decode(Report.self, from: Data(run.output.utf8)).kernels {
            #expect(slower.error.contains("\(kernel.name): "), "\(slower.error)")
        }
    }

    @Test func aPlanIsJSONWhereAskedAndNothingElse() throws {
        let run = try ToolRun(Self.bench + ["--plan", "--json"])
        #expect(run.status == 0, "\(run.error)")
        let bytes = try JSONDecoder().decode([String: Int].self, from: Data(run.output.utf8))
        let (weights, activations) = (try #require(bytes["weights_bytes"]), try #require(bytes["activations_bytes"]))
        #expect(weights > 0 && activations > 0 && bytes["total_bytes"] == weights + activations)
        for option in ["--trace", "--baseline"] {
            try ToolRun(Self.bench + ["--plan", option, "file"]).expectFailure(2, saying: "--plan: expected no ")
        }
    }
}
