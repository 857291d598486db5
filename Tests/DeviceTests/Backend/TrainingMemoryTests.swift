import ComputeCore
import OpenCLBackend
import OpenCLRuntime
import SMDIM
import Testing
import _ParityKit

extension OnDevice {
    @Suite struct TrainingMemoryTests {
        /// The paper's own figure for training is 21 GB.
        @Test func paperWithItsBatchFitsIn12GBByPlan() throws {
            let plans = try TrainingPlans(.paper, batch: 32, length: 2048)
            let bytes = try plans.byteCount(on: TestDevice.backend(.vector))
            #expect((6_000_000_000...12_000_000_000).contains(bytes), "\(bytes) bytes")
        }

        @Test(arguments: KernelPath.allCases, Precision.allCases)
        func planIsWhatIsTaken(_ path: KernelPath, _ precision: Precision) throws {
            let backend = try OpenCLBackend(Context(device: Device.select()), path: path)
            let plans = try TrainingPlans(.tiny, batch: 2, length: 128, precision: precision)
            guard backend.supports(precision) else {
                #expect(throws: BackendError.self) { try plans.byteCount(on: backend) }
                return
            }
            let run = try TrainingRun(plans, on: backend)
            let shared = try backend.context.liveBytes - plans.byteCount(on: backend)
            #expect((0...10_000).contains(shared), "tables that plans share, such as that of the rotary positions")
            try run.takeStep()
            #expect(backend.context.peakBytes == backend.context.liveBytes, "a step allocates nothing")
        }

        #if os(Linux)
            /// In a process of its own, where nothing else comes and goes; the first step compiles the kernels.
            @Test(.enabled(if: (try? Device.select())?.isPoCL != false, "the device has memory of its own"))
            func residentMemoryGrowsAsPlanned() async {
                await #expect(processExitsWith: .success) {
                    let backend = try OpenCLBackend(Context(device: Device.select()))
                    let plans = try TrainingPlans(.small, batch: 4, length: 1024)
                    let first = try TrainingRun(plans, on: backend)
                    try first.takeStep()
                    let before = try residentBytes()
                    let second = try TrainingRun(plans, on: backend)
                    try second.takeStep()
                    let (growth, planned) = try (residentBytes() - before, plans.byteCount(on: backend))
                    #expect(abs(growth - planned) <= planned / 20, "grew by \(growth), planned \(planned)")
                    withExtendedLifetime(first) {}
                }
            }
        #endif
    }
}

/// Both plans of training: the gradients of a micro-batch, and the step that follows.
private struct TrainingPlans {
    let gradients: Plan
    /// Uses every slot of every weight.
    let update: Plan
    let positions: Shape

    init(_ preset: ModelConfiguration.Preset, batch: Int, length: Int, precision: Precision = .float32) throws {
        let configuration = ModelConfiguration(preset)
        positions = [batch, length]
        gradients = try TokenDenoiser(configuration, precision: precision, purpose: .training).lossPlan(
            batch: batch, length: length
        ).training(maximumNorm: 1)
        update = try configuration.updatePlan(decay: 0.1)
    }

    func byteCount(on backend: OpenCLBackend) throws -> Int {
        try backend.memory(of: update.parameters) + backend.memory(of: gradients).byteCount
            + backend.memory(of: update).byteCount
    }
}

/// The plans with memory; weights of zero take as much as any.
private struct TrainingRun {
    private let gradients: any Executable
    private let update: any Executable
    private let positions: Shape

    init(_ plans: TrainingPlans, on backend: OpenCLBackend) throws {
        let store = try backend.prepare(
            plans.update.parameters.map { try ParameterSource($0.key, $0.layout, $0.shape, nil) })
        gradients = try backend.compile(plans.gradients, parameters: store)
        update = try backend.compile(plans.update, parameters: store)
        positions = plans.positions
    }

    func takeStep() throws {
        let batch = positions[0]
        try gradients.write(
            "clean", HostTensor(positions, [Int32](repeating: 1, count: positions.elementCount)))
        try gradients.write(
            "thresholds",
            HostTensor([batch, positions[1], 2], [Int32](repeating: 0, count: 2 * positions.elementCount)))
        try gradients.write("step", HostTensor(StepParameters.shape, StepParameters(step: 0, seed: 1).words))
        try gradients.write("weights", HostTensor([batch], [Float](repeating: 1, count: batch)))
        try gradients.run()
        try update.write("clip", gradients.read("clip"))
        let schedule = AdamWSchedule(rate: 0, step: 1, averageDecay: 0)
        try update.write("schedule", HostTensor(AdamWSchedule.shape, schedule.values))
        try update.run()
        try update.wait()
    }
}
