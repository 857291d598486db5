import ComputeCore
import OpenCLBackend
import OpenCLRuntime
import SMDIM
import Testing
import _ParityKit

extension OnDevice {
    @Suite struct ConcurrencyTests {
        /// Eight tasks, each with an executable of its own over the same weights, several times at different lengths.
        @Test(arguments: KernelPath.allCases)
        func eightTasksShareABackendAndWeights(_ path: KernelPath) async throws {
            let model = try GoldenModel("g1")
            let backend = try TestDevice.backend(path)
            let parameters = try backend.prepare(model.weights)
            let denoiser = TokenDenoiser(model.configuration)
            @Sendable func logits(_ task: Int) throws -> [UInt32] {
                let length = 8 + 4 * (task % 3)
                let plan = try denoiser.plan(batch: 1, length: length)
                let executable = try backend.compile(plan, parameters: parameters)
                var bits: [UInt32] = []
                for round in 0..<5 {
                    let tokens = (0..<length).map { Int32(($0 * 7 + task + 3 * round) % 22) }
                    try executable.write("tokens", HostTensor([1, length], tokens))
                    try executable.run()
                    bits += try executable.read("logits").floats().map(\.bitPattern)
                }
                return bits
            }
            let alone = try (0..<8).map(logits)
            #expect(Set(alone).count == 8, "the tasks compute different things")
            let together = try await withThrowingTaskGroup(of: (Int, [UInt32]).self) { group in
                for task in 0..<8 { group.addTask { (task, try logits(task)) } }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            for task in 0..<8 { #expect(together[task] == alone[task], "task \(task)") }
        }

        /// A long table, so that both tasks miss before one has made it.
        @Test func tasksThatMissAtOnceShareARotation() async throws {
            let shape = AttentionShape(length: 8192, heads: 1, width: 32, precision: .float32)
            let plan = try shape.plan()
            let context = try Context(device: Device.select(), binaryCache: .off)
            let backend = OpenCLBackend(context, path: .simple)
            let parameters = try backend.prepare([])
            let kept = try await withThrowingTaskGroup(of: Kept.self) { group in
                for _ in 0..<2 {
                    group.addTask { Kept(executable: try backend.compile(plan, parameters: parameters)) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let planned = kept.reduce(0) { $0 + $1.executable.memory.byteCount }
            let live = withExtendedLifetime(kept) { context.liveBytes }
            #expect(planned - live == 4 * shape.length * shape.width, "each plans a table, and there is one")
        }
    }
}

/// What a task made and no task uses any more, only kept alive.
private struct Kept: @unchecked Sendable {
    let executable: any Executable
}
