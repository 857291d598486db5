import ComputeCore
import OpenCLBackend
import OpenCLRuntime
import SMDIM
import Testing
import _ParityKit

extension OnDevice {
    @Suite struct BFloat16 {
        /// The error of PyTorch's bfloat16 logits beside float64, relative to the largest logit, as
        /// `Benchmarks/peers/bfloat16_errors.py` prints it for each golden model.
        @Test(arguments: zip(Golden.names, [0.0219, 0.0167, 0.0140]))
        func logitsAreAtMostTwiceAsFarAsPyTorchs(_ name: String, _ error: Double) throws {
            let backend = try TestDevice.backend()
            let model = try GoldenModel(name)
            let tokens = try model.expected.tensor("tokens.noisy")
            let plan = try TokenDenoiser(model.configuration, precision: .bfloat16)
                .plan(batch: tokens.shape[0], length: tokens.shape[1])
            guard backend.supports(.bfloat16) else {
                #expect(throws: BackendError.self) { try backend.memory(of: plan) }
                return
            }
            let weights = try ModelFolder<ModelConfiguration>(Golden.folder(name)).weights(precision: .bfloat16)
            let executable = try backend.compile(plan, parameters: backend.prepare(weights))
            try executable.write("tokens", tokens)
            try executable.run()
            let logits = try executable.read("logits").floats()
            let expected = try model.expected.tensor("logits").floats()
            let (worst, largest) = worstAndLargest(logits, beside: expected)
            #expect(Double(worst / largest) <= 2 * error)
            #expect(worst > 1e-4 * largest, "nothing was rounded to bfloat16")
        }

        /// 0.1918 is the largest error of PyTorch's gradients under autocast, of a weight relative to its largest element, as
        /// `Benchmarks/peers/bfloat16_errors.py` prints them for all golden models. In models as small as these a ReLU that
        /// rounding turns on or off makes most of it, and which one that is differs.
        @Test(.needsBFloat16, arguments: Golden.names)
        func gradientsAreNoFartherThanPyTorchs(_ name: String) throws {
            let model = try GoldenModel(name)
            let found = try model.gradients(precision: .bfloat16, on: TestDevice.backend(.vector))
            let errors = try model.weights.map { weight in
                let name = "grad.\(weight.key.name)"
                let (gradient, exact) = try (#require(found[name]).floats(), model.expected.tensor(name).floats())
                let (worst, largest) = worstAndLargest(gradient, beside: exact)
                return worst / largest
            }
            #expect(errors.reduce(0, max) <= 0.1918)
            #expect(errors.reduce(0, max) > 1e-3, "nothing was rounded to bfloat16")
        }

        /// In a batch other rows of a sample share a block of 32 with other samples, and other heads the device.
        @Test(.needsBFloat16)
        func sampleOfABatchHasTheBitsThatItHasAlone() throws {
            let configuration = ModelConfiguration(.small)
            try checkSamplesOfABatch(
                of: configuration, configuration.initialWeights(seed: 3, precision: .bfloat16), precision: .bfloat16,
                on: TestDevice.backend(.vector))
        }

        @Test func weightsComeBackRounded() throws {
            let values = (0..<33 * 5).map { Float($0) * 0.37 - 20 }
            let source = try ParameterSource(ParameterKey("w"), .bfloat16Matrix, [33, 5], values)
            let found = try TestDevice.backend(.vector).prepare([source]).read(ParameterKey("w")).floats()
            #expect(zip(found, values).allSatisfy { abs($0 - $1) <= abs($1) * 0x1p-8 })
            #expect(found.allSatisfy { $0.bitPattern & 0xFFFF == 0 })
        }
    }
}
