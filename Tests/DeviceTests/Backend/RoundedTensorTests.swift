import ComputeCore
import OpenCLBackend
import SMDIM
import Testing
import _ParityKit

extension OnDevice {
    /// The input of a bfloat16 product, stored rounded by the kernel that makes it, against the same plan with every tensor
    /// kept, where the host sees floats and each product rounds its input in a pass of its own.
    @Suite(.needsBFloat16) struct RoundedTensors {
        @Test(arguments: ParityCase.rounded)
        func whereItIsRoundedChangesNoBit(_ parityCase: ParityCase) throws {
            let backend = try TestDevice.backend(.vector, isolation: .margins)
            let instance = try parityCase.make(7)
            var plain = instance
            plain.plan = instance.plan.keepingEverything()
            let (found, executable) = try instance.run(on: backend)
            let (expected, _) = try plain.run(on: backend)
            #expect(found["output"] == expected["output"])
            #expect(try (executable as? any MarginCheck)?.damagedMargins() == 0)

            let product = try #require(instance.plan.operations.last as? Linear)
            let isEven = product.input.columns.isMultiple(of: 2)
            let hasRoundedWeight = instance.plan.parameters.contains {
                $0.key.name == "weight" && $0.layout == .bfloat16Matrix
            }
            let weight = hasRoundedWeight ? 0 : 1
            #expect(try backend.memory(of: instance.plan).scratch.last?.count == weight + (isEven ? 0 : 1))
            #expect(try backend.memory(of: plain.plan).scratch.last?.count == weight + 1)
        }

        @Test(arguments: Golden.names)
        func modelsGiveTheSameLogits(_ name: String) throws {
            let backend = try TestDevice.backend(.vector)
            let model = try GoldenModel(name)
            let tokens = try model.expected.tensor("tokens.noisy")
            let plan = try TokenDenoiser(model.configuration, precision: .bfloat16)
                .plan(batch: tokens.shape[0], length: tokens.shape[1])
            let weights = try backend.prepare(
                ModelFolder<ModelConfiguration>(Golden.folder(name)).weights(precision: .bfloat16))
            let logits = try [plan, plan.keepingEverything()].map { plan in
                let executable = try backend.compile(plan, parameters: weights)
                try executable.write("tokens", tokens)
                try executable.run()
                return try executable.read("logits")
            }
            #expect(logits[0] == logits[1])
        }

        /// The scan reads them too, as floats: the input of x_proj, and that of dt_proj.
        @Test func onlyTwoProductsOfABlockRoundTheirInput() throws {
            let configuration = ModelConfiguration(.paper)
            let plan = try TokenDenoiser(configuration, precision: .bfloat16).plan(batch: 1, length: 64)
            let scratch = try TestDevice.backend(.vector).memory(of: plan).scratch
            let rounding = zip(plan.operations, scratch).count { $0 is Linear && !$1.isEmpty }
            #expect(rounding == 2 * configuration.trunk.blockCount)
        }
    }
}

extension Plan {
    /// The plan with every intermediate tensor readable by the host.
    fileprivate func keepingEverything() -> Plan {
        var plan = self
        let known = Set(kept.values.map(\.storage))
        for operand in operations.flatMap(\.operands) where !known.contains(operand.tensor.storage) {
            guard storages[operand.tensor.storage].role == .intermediate else { continue }
            plan.keep(operand.tensor, as: "storage \(operand.tensor.storage)")
        }
        return plan
    }
}
