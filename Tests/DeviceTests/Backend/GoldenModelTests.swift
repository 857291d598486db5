import ComputeCore
import Foundation
import OpenCLBackend
import ReferenceBackend
import SMDIM
import Testing
import _ParityKit

/// A golden model, its inputs and the tensors that PyTorch computed in float64.
struct GoldenModel {
    let configuration: ModelConfiguration
    let weights: [ParameterSource]
    let expected: Safetensors

    init(_ name: String) throws {
        let folder = try ModelFolder<ModelConfiguration>(Golden.folder(name))
        configuration = folder.configuration
        weights = try folder.weights()
        expected = try Safetensors(contentsOf: Golden.folder(name).appending(path: "expected.safetensors"))
    }

    /// The forward pass with every stage kept under its name in the golden file.
    func stages(on backend: any Backend) throws -> [String: [Float]] {
        let tokens = try expected.tensor("tokens.noisy")
        var plan = Plan()
        let input = plan.input("tokens", tokens.shape, .int32)
        let (logits, stages) = try TokenDenoiser(configuration).record(input, into: &plan)
        plan.keep(logits, as: "logits")
        plan.keep(stages.latent, as: "stage.down_relu")
        plan.keep(stages.trunk, as: "stage.norm")
        plan.keep(stages.blocks[0].mixer, as: "mixer")
        plan.keep(stages.blocks[0].feedForward, as: "feedForward")
        plan.keep(stages.blocks[0].attention, as: "stage.block0")
        let executable = try backend.compile(plan, parameters: backend.prepare(weights))
        try executable.write("tokens", tokens)
        try executable.run()
        func values(_ name: String) throws -> [Float] { try executable.read(name).floats() }
        // The golden file has what each layer adds; the plan has the residual stream behind it.
        func added(_ after: String, _ before: String) throws -> [Float] {
            try zip(values(after), values(before)).map { $0 - $1 }
        }
        return [
            "logits": try values("logits"), "stage.down_relu": try values("stage.down_relu"),
            "stage.block0.mamba": try added("mixer", "stage.down_relu"),
            "stage.block0.ffn": try added("feedForward", "mixer"),
            "stage.block0.attn": try added("stage.block0", "feedForward"),
            "stage.block0": try values("stage.block0"), "stage.norm": try values("stage.norm"),
        ]
    }

    func check(on backend: any Backend) throws {
        for (name, found) in try stages(on: backend) {
            let reference = try expected.tensor(name).floats()
            try #require(found.count == reference.count, "\(name)")
            let worst = zip(found, reference).map { abs($0 - $1) / (1e-4 + 1e-4 * abs($1)) }.max() ?? .nan
            #expect(worst <= 1, "\(name): \(worst) times the bound of 1e-4, absolute and relative")
            #expect(reference.contains { abs($0) > 0.1 }, "\(name) is nearly zero, so it proves nothing")
        }
    }
}

@Suite struct GoldenOnReference {
    @Test(arguments: Golden.names) func stagesMatchPyTorch(_ name: String) throws {
        try GoldenModel(name).check(on: ReferenceBackend())
    }
}

extension OnDevice {
    @Suite struct GoldenModels {
        @Test(arguments: Golden.names, KernelPath.allCases)
        func stagesMatchPyTorch(_ name: String, _ path: KernelPath) throws {
            try GoldenModel(name).check(on: TestDevice.backend(path))
        }

        @Test(arguments: KernelPath.allCases)
        func sampleOfABatchHasTheBitsThatItHasAlone(_ path: KernelPath) throws {
            let model = try GoldenModel("g3")
            try checkSamplesOfABatch(of: model.configuration, model.weights, on: TestDevice.backend(path))
        }
    }
}

/// Checks that each sample of a batch of three has the logits, bit for bit, that it has alone.
func checkSamplesOfABatch(
    of configuration: ModelConfiguration, _ weights: [ParameterSource], precision: Precision = .float32,
    on backend: OpenCLBackend
) throws {
    let parameters = try backend.prepare(weights)
    let length = 52
    let tokens = (0..<3 * length).map { Int32(($0 * 7919) % (configuration.vocabularySize + 1)) }
    func logits(_ tokens: [Int32], batch: Int) throws -> [Float] {
        let plan = try TokenDenoiser(configuration, precision: precision).plan(batch: batch, length: length)
        let executable = try backend.compile(plan, parameters: parameters)
        try executable.write("tokens", HostTensor([batch, length], tokens))
        try executable.run()
        return try executable.read("logits").floats()
    }
    let together = try logits(tokens, batch: 3)
    for sample in 0..<3 {
        let alone = try logits(Array(tokens[sample * length..<(sample + 1) * length]), batch: 1)
        let within = together[sample * alone.count..<(sample + 1) * alone.count]
        #expect(alone.map(\.bitPattern) == within.map(\.bitPattern))
    }
}
