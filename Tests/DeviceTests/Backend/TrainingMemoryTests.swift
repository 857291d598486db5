import ComputeCore
import OpenCLBackend
import OpenCLRuntime
import Pipeline
import SMDIM
import Testing
import _ParityKit

extension OnDevice {
    @Suite struct TrainingMemoryTests {
        /// The paper's own figure for training is 21 GB.
        @Test func paperWithItsBatchFitsIn12GBByPlan() throws {
            let run = try TrainingRun(.paper, batch: 32, length: 2048)
            let bytes = try run.byteCount(on: TestDevice.backend(.vector))
            #expect((6_000_000_000...12_000_000_000).contains(bytes), "\(bytes) bytes")
        }

        @Test(arguments: KernelPath.allCases, Precision.allCases)
        func planIsWhatIsTaken(_ path: KernelPath, _ precision: Precision) throws {
            let backend = try OpenCLBackend(Context(device: Device.select()), path: path)
            let run = try TrainingRun(.tiny, batch: 2, length: 128, precision: precision)
            guard backend.supports(precision) else {
                #expect(throws: BackendError.self) { try run.byteCount(on: backend) }
                return
            }
            let step = try run.step(on: backend)
            #expect(try backend.context.liveBytes == run.byteCount(on: backend))
            try run.take(step)
            #expect(backend.context.peakBytes == backend.context.liveBytes, "a step allocates nothing")
        }

        #if os(Linux)
            /// In a process of its own, where nothing else comes and goes; the first step compiles the kernels.
            @Test(.enabled(if: (try? Device.select())?.isPoCL != false, "the device has memory of its own"))
            func residentMemoryGrowsAsPlanned() async {
                await #expect(processExitsWith: .success) {
                    let backend = try OpenCLBackend(Context(device: Device.select()))
                    let run = try TrainingRun(.small, batch: 4, length: 1024)
                    let first = try run.step(on: backend)
                    try run.take(first)
                    let before = try residentBytes()
                    let second = try run.step(on: backend)
                    try run.take(second)
                    let (growth, planned) = try (residentBytes() - before, run.byteCount(on: backend))
                    #expect(abs(growth - planned) <= planned / 20, "grew by \(growth), planned \(planned)")
                    withExtendedLifetime(first) {}
                }
            }
        #endif
    }
}

/// A preset's training step with zeros for weights, which take as much memory as any.
private struct TrainingRun {
    private let configuration: ModelConfiguration
    private let plans: TrainingStep.Plans
    private let positions: Shape

    init(
        _ preset: ModelConfiguration.Preset, batch: Int, length: Int, precision: Precision = .float32
    ) throws {
        configuration = ModelConfiguration(preset)
        positions = [batch, length]
        let denoiser = TokenDenoiser(configuration, precision: precision, purpose: .training)
        plans = try TrainingStep.Plans(
            configuration, loss: denoiser.lossPlan(batch: batch, length: length), maximumNorm: 1, decay: 0.1)
    }

    /// What the step takes by plan; the update uses every slot of every weight.
    func byteCount(on backend: OpenCLBackend) throws -> Int {
        try backend.memory(of: plans.update.parameters) + backend.memory(of: plans.gradients).byteCount
            + backend.memory(of: plans.update).byteCount
    }

    func step(on backend: OpenCLBackend) throws -> TrainingStep {
        try TrainingStep(plans, of: configuration, state: [:], on: backend)
    }

    func take(_ step: TrainingStep) throws {
        let (batch, gradients) = (positions[0], step.gradients)
        try gradients.write("clean", HostTensor(positions, [Int32](repeating: 1, count: positions.elementCount)))
        try gradients.write(
            "thresholds",
            HostTensor([batch, positions[1], 2], [Int32](repeating: 0, count: 2 * positions.elementCount)))
        try gradients.write("step", HostTensor(StepParameters.shape, StepParameters(step: 0, seed: 1).words))
        try gradients.write("weights", HostTensor([batch], [Float](repeating: 1, count: batch)))
        try gradients.run()
        try step.takeStep(AdamWSchedule(rate: 0, step: 1, averageDecay: 0), clip: gradients.read("clip"))
    }
}
