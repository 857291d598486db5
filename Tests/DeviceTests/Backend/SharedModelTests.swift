import ComputeCore
import Foundation
import Music
import OpenCLBackend
import OpenCLRuntime
import Pipeline
import SMDIM
import Testing
import _ParityKit
import _TestSupport

/// An untrained `tiny` model with the built-in tokenizer, through the calls that a program would make.
private struct UntrainedModel {
    let model: TokenModel

    init(on backend: OpenCLBackend) throws {
        let folder = try TemporaryFolder().url.appending(path: "model")
        let configuration = ModelConfiguration(.tiny, vocabularySize: 190)
        try ModelFolder.write(
            configuration, weights: configuration.initialWeights(seed: 3), isTrained: false,
            tokenizer: Data(TokenizerConfiguration.standard.tokenizerJSON()), readme: "", to: folder)
        model = try TokenModel(folder, on: backend)
    }

    /// The bytes of the pieces' files.
    func pieces(length: Int = 50, _ change: (inout SamplingSettings) -> Void) throws -> [[UInt8]] {
        var settings = SamplingSettings(seed: 11)
        settings.steps = 4
        change(&settings)
        return try model.generate(length: length, settings: settings).map { try $0.file.serialized() }
    }
}

extension OnDevice {
    @Suite struct SharedModelTests {
        /// Eight tasks draw from one model; on the group path they share CLBlast, too.
        @Test(arguments: KernelPath.allCases)
        func eightTasksShareAModel(_ path: KernelPath) async throws {
            let untrained = try UntrainedModel(on: TestDevice.backend(path))
            @Sendable func pieces(_ task: Int) throws -> [[UInt8]] {
                try untrained.pieces { ($0.seed, $0.count) = (UInt64(task), 1 + task % 3) }
            }
            let alone = try (0..<8).map(pieces)
            #expect(Set(alone).count == 8, "the tasks draw different pieces")
            let together = try await withThrowingTaskGroup(of: (Int, [[UInt8]]).self) { group in
                for task in 0..<8 { group.addTask { (task, try pieces(task)) } }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            for task in 0..<8 { #expect(together[task] == alone[task], "task \(task)") }
        }

        @Test(arguments: KernelPath.allCases)
        func theBatchNeverChangesAPiece(_ path: KernelPath) throws {
            let untrained = try UntrainedModel(on: TestDevice.backend(path))
            let whole = try untrained.pieces { ($0.count, $0.batch) = (7, 7) }
            #expect(Set(whole).count == 7)
            for batch in [1, 3] {
                #expect(try untrained.pieces { ($0.count, $0.batch) = (7, batch) } == whole, "batches of \(batch)")
            }
            #expect(try untrained.pieces { $0.firstSample = 5 } == [whole[5]])
        }

        @Test(arguments: KernelPath.allCases)
        func aHundredRunsGiveTheSameBits(_ path: KernelPath) throws {
            let model = try GoldenModel("g1")
            let backend = try TestDevice.backend(path)
            let executable = try backend.compile(
                TokenDenoiser(model.configuration).plan(batch: 2, length: 16),
                parameters: backend.prepare(model.weights))
            try executable.write("tokens", HostTensor([2, 16], (0..<32).map { Int32($0 * 7 % 22) }))
            func bits() throws -> [UInt32] {
                try executable.run()
                return try executable.read("logits").floats().map(\.bitPattern)
            }
            let first = try bits()
            for run in 1..<100 { #expect(try bits() == first, "run \(run)") }
        }

        #if os(Linux)
            /// In a process of its own, where nothing else comes and goes: 500 pieces in a soak, else 20.
            @Test(.enabled(if: (try? Device.select())?.isPoCL != false, "the device has memory of its own"))
            func generatingLeavesNothingBehind() async {
                await #expect(processExitsWith: .success) {
                    do {
                        let backend = try OpenCLBackend(Context(device: Device.select()))
                        let untrained = try UntrainedModel(on: backend)
                        let warmUp = 10
                        for seed in 0..<warmUp { _ = try untrained.pieces { $0.seed = UInt64(seed) } }
                        let before = (resident: try residentBytes(), live: backend.context.liveBytes)
                        for seed in 0..<(Soak.isOn ? 500 : 20) {
                            _ = try untrained.pieces(length: 50 + seed % 20) { $0.seed = UInt64(warmUp + seed) }
                        }
                        let growth = try residentBytes() - before.resident
                        #expect(growth <= 4_000_000, "resident memory grew by \(growth) bytes")
                        #expect(backend.context.liveBytes == before.live)
                        print("resident memory grew by \(growth) bytes")
                    }
                    #expect(LiveHandles.now.total == 0, "\(LiveHandles.now)")
                }
            }
        #endif
    }
}
