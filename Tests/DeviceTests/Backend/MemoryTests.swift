import ComputeCore
import Foundation
import OpenCLBackend
import OpenCLRuntime
import SMDIM
import Testing
import _DriverFaults
import _ParityKit

extension OnDevice {
    @Suite struct MemoryTests {
        /// On the group path CLBlast's temporary memory is among the bytes.
        @Test(arguments: KernelPath.allCases)
        func aPaperStepTakesAtMost300MB(_ path: KernelPath) throws {
            let backend = try OpenCLBackend(Context(device: Device.select()), path: path)
            let step = try ForwardPass(.paper, length: 2048, on: backend)
            #expect(backend.context.liveBytes == step.byteCount)
            #expect(backend.context.peakBytes <= 300_000_000, "\(backend.context.peakBytes) bytes")
        }

        /// Any one of the two would fit.
        @Test func parametersAreRefusedBeforeOneIsAllocated() throws {
            let context = try OnDevice.context(memoryLimit: 6000)
            let sources = try ["a", "b"].map { try ParameterSource(ParameterKey($0), .plain, [1000], nil) }
            let error = #expect(throws: OpenCLError.self) { try OpenCLBackend(context).prepare(sources) }
            #expect(error == .outOfMemory(needed: 8000, available: 6000, limit: 6000))
            #expect(context.peakBytes == 0)
        }

        @Test func aPlanIsRefusedBeforeABlockIsAllocated() throws {
            let context = try OnDevice.context(memoryLimit: 6000)
            let backend = OpenCLBackend(context, isolation: .buffers)
            let plan = try Self.activation(of: [1000])
            let memory = try backend.memory(of: plan)
            try #require(memory.blocks.count == 2 && memory.blocks.allSatisfy { $0 <= 6000 })
            let parameters = try backend.prepare([])
            let error = #expect(throws: OpenCLError.self) { try backend.compile(plan, parameters: parameters) }
            #expect(error == .outOfMemory(needed: memory.byteCount, available: 6000, limit: 6000))
            #expect(context.peakBytes == 0)
        }

        /// The table of the rotary positions is the plan's as long as no other has it.
        @Test(arguments: KernelPath.allCases)
        func theTableOfThePositionsIsPartOfThePlan(_ path: KernelPath) throws {
            let plan = try AttentionShape(length: 96, heads: 2, width: 64, precision: .float32).plan()
            let table = 4 * 96 * 64
            let roomy = try OpenCLBackend(OnDevice.context(), path: path)
            let bytes = try roomy.memory(of: plan).byteCount
            let executables = try (0..<2).map { _ in try roomy.compile(plan, parameters: roomy.prepare([])) }
            #expect(roomy.context.liveBytes == 2 * bytes - table)
            withExtendedLifetime(executables) {}
            let tight = try OpenCLBackend(OnDevice.context(memoryLimit: bytes - 1), path: path)
            let error = #expect(throws: OpenCLError.self) { try tight.compile(plan, parameters: tight.prepare([])) }
            #expect(error == .outOfMemory(needed: bytes, available: bytes - 1, limit: bytes - 1))
            #expect(tight.context.peakBytes == 0)
        }

        /// Where a driver allocates on first use, a run would fail in its middle. In a process of its own, as a fault stays.
        @Test func memoryThatIsNotThereIsMissedBeforeTheRun() async {
            await #expect(processExitsWith: .success) {
                let backend = try OpenCLBackend(OnDevice.context())
                let plan = try Self.activation(of: [1000])
                let parameters = try backend.prepare([])
                provoke(DRIVER_FAULT_NO_MEMORY)
                let failure = OpenCLError.callFailed(
                    call: "clEnqueueMigrateMemObjects", code: -4, name: "CL_MEM_OBJECT_ALLOCATION_FAILURE")
                #expect(throws: failure) { try backend.compile(plan, parameters: parameters) }
                #expect(throws: failure) { try backend.prepare([ParameterSource(ParameterKey("a"), .plain, [9], nil)]) }
                #expect(backend.context.liveBytes == 0)
            }
        }

        /// Kernels count elements with 32-bit integers.
        @Test func aTensorOfMoreElementsThanKernelsCountIsRefused() throws {
            let backend = try OpenCLBackend(OnDevice.context(memoryLimit: 6000))
            let parameters = try backend.prepare([])
            let plan = try Self.activation(of: [1 << 16, 1 << 15])
            let expected = ValidationError(
                operation: "activate", argument: "input",
                expected: "at most 2147418112 elements, as many as the kernels count",
                found: "2147483648 for [65536, 32768]")
            #expect(throws: expected) { try backend.memory(of: plan) }
            #expect(throws: expected) { try backend.compile(plan, parameters: parameters) }
            let largest = try backend.memory(of: Self.activation(of: [2_147_418_112]))
            #expect(largest.byteCount >= 8 * 2_147_418_112)
        }

        /// Each of the 2²¹ matrices of this weight, one number each, is padded to 1024.
        @Test func paddedParametersAreCountedAsTheyLie() throws {
            let width = 1 << 21
            var plan = Plan()
            try plan.append(
                TransposedConvolution(
                    input: plan.input("x", [1, 1, 1]),
                    weight: plan.parameter(ParameterKey("weight"), [1, 1, width], .transposedConvolution),
                    bias: plan.parameter(ParameterKey("bias"), [1], .plain), activation: .none,
                    output: plan.intermediate([1, width, 1])))
            for path in KernelPath.allCases {
                let backend = try OpenCLBackend(OnDevice.context(), path: path)
                let error = #expect(throws: ValidationError.self) { try backend.memory(of: plan) }
                #expect(error?.argument == "weight")
            }
        }

        private static func activation(of shape: Shape) throws -> Plan {
            var plan = Plan()
            try plan.append(
                Activate(input: plan.input("x", shape), activation: .relu, output: plan.intermediate(shape)))
            return plan
        }

        #if os(Linux)
            /// On PoCL the device's memory is the process's, so the plan can be checked against what is taken.
            ///
            /// In a process of its own, where nothing else comes and goes.
            @Test(
                .enabled(if: (try? Device.select())?.isPoCL != false, "the device has memory of its own"),
                arguments: [("small", "vector"), ("small", "group"), ("paper", "vector")])
            func residentMemoryGrowsAsPlanned(_ preset: String, _ path: String) async {
                await #expect(processExitsWith: .success) { [preset, path] in
                    let preset = try #require(ModelConfiguration.Preset(rawValue: preset))
                    let backend = try OpenCLBackend(Context(device: Device.select()), path: KernelPath(rawValue: path))
                    // The first pass compiles the kernels inside the process, which takes memory of its own; it stays,
                    // so that the second one gets none that was used before.
                    let first = try ForwardPass(preset, length: 2048, on: backend)
                    try first.run()
                    let before = try residentBytes()
                    let second = try ForwardPass(preset, length: 2048, on: backend)
                    try second.run()
                    let growth = try residentBytes() - before
                    let slack = second.byteCount / 20 + 4_000_000
                    #expect(
                        abs(growth - second.byteCount) <= slack, "grew by \(growth), planned \(second.byteCount)")
                    withExtendedLifetime(first) {}
                }
            }
        #endif
    }
}

/// One forward pass of a preset, with weights of zero, which take as much memory as any.
private struct ForwardPass {
    let executable: any Executable
    /// Weights and arena, as they are known before the arena is allocated.
    let byteCount: Int
    private let tokens: HostTensor

    init(_ preset: ModelConfiguration.Preset, length: Int, on backend: OpenCLBackend) throws {
        let configuration = ModelConfiguration(preset)
        let plan = try TokenDenoiser(configuration).plan(batch: 1, length: length)
        let parameters = try backend.prepare(configuration.parameters.map(ParameterSource.init(zeros:)))
        byteCount = try parameters.byteCount + backend.memory(of: plan).byteCount
        executable = try backend.compile(plan, parameters: parameters)
        tokens = try HostTensor([1, length], [Int32](repeating: 0, count: length))
    }

    func run() throws {
        try executable.write("tokens", tokens)
        try executable.run()
        try executable.wait()
    }
}

#if os(Linux)
    /// The physical memory of the process: the second number of /proc/self/statm, in pages.
    func residentBytes() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return try #require(Int(fields[1])) * sysconf(Int32(_SC_PAGESIZE))
    }
#endif
