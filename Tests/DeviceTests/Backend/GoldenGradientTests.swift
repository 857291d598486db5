import ComputeCore
import OpenCLBackend
import ReferenceBackend
import SMDIM
import Testing
import _ParityKit

/// Loss and gradients of a golden model on one backend.
struct GoldenGradients {
    let model: GoldenModel
    let executable: any Executable
    let parameters: any ParameterStore

    init(_ name: String, on backend: any Backend) throws {
        model = try GoldenModel(name)
        let tensors = model.expected
        let (noisy, mask) = try (tensors.tensor("tokens.noisy"), tensors.tensor("mask"))
        let (batch, length) = (noisy.shape[0], noisy.shape[1])
        let plan = try TokenDenoiser(model.configuration, purpose: .training).gradientPlan(batch: batch, length: length)
        let gradients = try model.weights.map {
            try ParameterSource(ParameterKey($0.key.name, .gradient), $0.layout, $0.shape, nil)
        }
        parameters = try backend.prepare(model.weights + gradients)
        executable = try backend.compile(plan, parameters: parameters)
        try executable.write("noisy", noisy)
        try executable.write("clean", tensors.tensor("tokens.clean"))
        try executable.write("mask", mask)
        let masked = try mask.integers().reduce(0) { $0 + Float($1) }
        try executable.write("weights", HostTensor([batch], [Float](repeating: 1 / masked, count: batch)))
        try executable.run()
    }

    func gradient(_ name: String) throws -> [Float] {
        try parameters.read(ParameterKey(name, .gradient)).floats()
    }

    func check() throws {
        let loss = try executable.read("loss").floats()[0]
        let expected = try model.expected.tensor("loss").floats()[0]
        #expect(abs(loss - expected) <= 1e-4 * abs(expected), "loss \(loss) against \(expected)")
        for weight in model.weights {
            let name = weight.key.name
            let (found, reference) = try (gradient(name), model.expected.tensor("grad.\(name)").floats())
            try #require(found.count == reference.count, "\(name)")
            let largest = reference.reduce(0) { max($0, abs($1)) }
            let worst = zip(found, reference).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
            #expect(found.allSatisfy { $0.isFinite }, "\(name) is not finite")
            #expect(worst <= 1e-3 * largest, "\(name): \(worst) of a largest gradient of \(largest)")
            #expect(largest > 0, "\(name): a gradient of zeros proves nothing")
        }
    }
}

@Suite struct GoldenGradientsOnReference {
    @Test(arguments: Golden.names) func gradientsMatchPyTorch(_ name: String) throws {
        try GoldenGradients(name, on: ReferenceBackend()).check()
    }

    @Test func secondMicroBatchAddsToTheFirst() throws {
        let gradients = try GoldenGradients("g1", on: ReferenceBackend())
        let once = try gradients.gradient("head.weight")
        try gradients.executable.run()
        let twice = try gradients.gradient("head.weight")
        #expect(zip(once, twice).allSatisfy { abs(2 * $0 - $1) <= 1e-6 * max(1, abs($1)) })
    }
}

extension OnDevice {
    @Suite struct GoldenGradientsOnDevice {
        @Test(arguments: Golden.names, KernelPath.allCases)
        func gradientsMatchPyTorch(_ name: String, _ path: KernelPath) throws {
            try GoldenGradients(name, on: TestDevice.backend(path)).check()
        }

        @Test(arguments: KernelPath.allCases) func twoRunsGiveTheSameBits(_ path: KernelPath) throws {
            let runs = try (0..<2).map { _ in try GoldenGradients("g3", on: TestDevice.backend(path)) }
            for weight in runs[0].model.weights {
                let bits = try runs.map { try $0.gradient(weight.key.name).map(\.bitPattern) }
                #expect(bits[0] == bits[1], "\(weight.key)")
            }
        }
    }
}
