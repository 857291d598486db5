import Foundation
import Testing
import _TestSupport

@Suite struct DeviceChoiceTests {
    private let bench = ["bench", "--preset", "tiny", "--length", "8", "--repetitions", "1", "--skip-start"]

    @Test func theReferenceHasNoKernels() throws {
        for option in ["--kernels=vector", "--tuning=file"] {
            let name = String(option.prefix { $0 != "=" })
            try ToolRun(["generate", "--model", golden, "-o", "out.mid", "--device", "reference", option])
                .expectFailure(2, saying: "\(name): expected none for the reference")
        }
        try ToolRun(["verify", "--device", "reference"])
            .expectFailure(2, saying: "--device: expected an OpenCL device, found reference")
    }

    @Test func devicesAreListed() throws {
        struct Row: Decodable {
            let index: Int
            let name: String
            let isDefault: Bool
        }
        let run = try ToolRun(["devices", "--json"])
        #expect(run.status == 0, "\(run.error)")
        let rows = try JSONDecoder().decode([Row].self, from: Data(run.output.utf8))
        #expect(rows.map(\.index) == Array(0..<rows.count) && rows.count { $0.isDefault } == 1)
        let table = try ToolRun(["devices"]).output
        #expect(rows.allSatisfy { table.contains($0.name) })
    }

    @Test func anUnknownDeviceNamesThoseThereAre() throws {
        let names = try ToolRun(["devices"]).output
        let run = try ToolRun(bench + ["--device", "no such device"])
        run.expectFailure(1, saying: "no OpenCL device matches 'no such device'; available: 0: ")
        let first = try #require(run.error.firstMatch(of: /available: 0: ([^,\n]+)/)?.1)
        #expect(names.contains(first))
        try ToolRun(bench, environment: ["SMDIM_DEVICE": "99"]).expectFailure(1, saying: "'99'")
    }

    @Test func withoutAPlatformItSaysWhatToInstall() throws {
        let folder = try TemporaryFolder()
        for arguments in [["devices"], bench, ["verify"]] {
            try ToolRun(arguments, environment: ["OCL_ICD_VENDORS": folder.url.path + "/"])
                .expectFailure(1, saying: "pocl-opencl-icd")
        }
    }

    @Test func theEnvironmentMayAskForTheReference() throws {
        let folder = try TemporaryFolder()
        // Where no OpenCL is, nothing else can compute.
        let environment = ["SMDIM_DEVICE": "reference", "OCL_ICD_VENDORS": folder.url.path + "/"]
        let run = try ToolRun(
            [
                "gradients", "--model", golden, "--input", "\(golden)/expected.safetensors", "-o", folder.path("out"),
            ], environment: environment)
        #expect(run.status == 0, "\(run.error)")
        try ToolRun(bench, environment: ["SMDIM_DEVICE": "reference"]).expectFailure(1, saying: "'reference'")
    }

    /// Nothing is measured whose result could not be kept.
    @Test(
        arguments: ["{", #"{"device": "abacus", "driver": "none", "products": {}, "attention": {}, "clblast": {}}"#],
        [true, false])
    func aFileThatHoldsNoChoicesForTheDeviceIsNotReplaced(_ text: String, isNamedByOption: Bool) throws {
        let folder = try TemporaryFolder()
        let file = folder.path("tuning.json")
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let run = try ToolRun(
            ["tune", "--preset", "tiny", "--length", "8"] + (isNamedByOption ? ["--tuning", file] : []),
            environment: ["SMDIM_TUNING": isNamedByOption ? "" : file])
        run.expectFailure(1, saying: "\(file): cannot be written: it holds something else than choices for ")
        #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
    }

    @Test func aPlaceThatCannotBeWrittenIsNamedBeforeAnythingIsMeasured() throws {
        let folder = try TemporaryFolder()
        for command in [["tune", "--tuning"], ["bench", "--trace"]] {
            try ToolRun(
                command + [folder.path("none/t.json"), "--preset", "tiny", "--length", "8"],
                environment: ["SMDIM_MEMORY_LIMIT": "1K"]
            ).expectFailure(1, saying: "none/t.json: cannot be written: the folder ")
        }
    }

    @Test func tuningMeasuresAllKernels() throws {
        let folder = try TemporaryFolder()
        try ToolRun(["tune", "--preset", "tiny", "--length", "8", "--tuning", folder.path("t"), "--kernels", "simple"])
            .expectFailure(2, saying: "--kernels")
        #expect(folder.names.isEmpty)
    }
}
