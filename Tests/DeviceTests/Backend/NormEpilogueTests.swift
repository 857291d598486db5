import ComputeCore
import OpenCLBackend
import OpenCLRuntime
import ReferenceBackend
import Testing
import _ParityKit

extension OnDevice {
    /// Norms that the linear layer before them computes along.
    @Suite struct NormEpilogues {
        private static let cases = ParityCase.all.filter { $0.sizes.hasSuffix("then layer_norm") }

        @Test(arguments: cases)
        func bitsAreThoseOfANormByItself(_ parityCase: ParityCase) throws {
            let backend = try TestDevice.backend(.vector, isolation: .margins)
            let instance = try parityCase.make(11)
            let (found, executable) = try instance.run(on: backend)
            #expect(try (executable as? any MarginCheck)?.damagedMargins() == 0)

            let h = try #require(found["output"])
            let norm = try #require(instance.plan.operations.last as? LayerNorm)
            var alone = ParityInstance()
            let vectors = try ["norm.weight", "norm.bias"].map { name in
                let source = try #require(instance.parameters.first { $0.key.name == name })
                return try alone.parameter(name, [h.shape[-1]], #require(source.values))
            }
            try alone.plan.append(
                LayerNorm(
                    input: alone.input("h", h.shape, h.floats()), weight: vectors[0], bias: vectors[1],
                    epsilon: norm.epsilon, output: alone.output("normalised", h.shape)))
            #expect(try alone.run(on: backend).outputs["normalised"] == found["normalised"])
        }

        /// x [1, rows, 8] → h → its norm, which goes where `target` says.
        private func kernels(rows: Int, into target: (_ x: Tensor) -> Tensor?) throws -> [String] {
            var instance = ParityInstance()
            let x = try instance.input("x", [1, rows, 8], [Float](repeating: 0.5, count: rows * 8))
            let h = instance.output("h", x.shape)
            let ones = [Float](repeating: 1, count: 8)
            try instance.plan.append(
                Linear(
                    input: x.matrix,
                    weight: instance.parameter("weight", [8, 8], (0..<64).map { Float($0) }, as: .matrix),
                    output: h.matrix))
            try instance.plan.append(
                LayerNorm(
                    input: h, weight: instance.parameter("norm.weight", [8], ones),
                    bias: instance.parameter("norm.bias", [8], ones), epsilon: 1e-5,
                    output: target(x) ?? instance.output("normalised", h.shape)))
            let device = try TestDevice.context.get().device
            let context = try Context(device: device, profiling: true, binaryCache: .driversOwn(on: device))
            _ = try instance.run(on: OpenCLBackend(context, path: .vector))
            return try context.takeProfile().map(\.kernel).filter { !$0.hasPrefix("pack") }
        }

        /// Both are computed along, and the first is read before the second is written.
        @Test func twoNormsMayTakeOnePlace() throws {
            let (rows, width) = (try manyRows(), 8)
            var values = SeededValues(seed: 3)
            var instance = ParityInstance()
            let x = try instance.input("x", [1, rows, width], values.normal(rows * width))
            let weight = try instance.parameter("weight", [width, width], values.normal(width * width), as: .matrix)
            let vectors = try ["norm.weight", "norm.bias"].map {
                try instance.parameter($0, [width], values.normal(width))
            }
            let normal = instance.plan.intermediate(x.shape)
            for output in ["first", "second"] {
                let h = instance.plan.intermediate(x.shape)
                try instance.plan.append(Linear(input: x.matrix, weight: weight, output: h.matrix))
                try instance.plan.append(
                    LayerNorm(input: h, weight: vectors[0], bias: vectors[1], epsilon: 1e-5, output: normal))
                try instance.plan.append(
                    Linear(
                        input: normal.matrix, weight: weight, output: instance.output(output, x.shape).matrix))
            }
            let found = try instance.run(on: TestDevice.backend(.vector)).outputs
            let expected = try #require(try instance.run(on: ReferenceBackend()).outputs["first"]).floats()
            for output in ["first", "second"] {
                let values = try #require(found[output]).floats()
                #expect(zip(values, expected).allSatisfy { abs($0 - $1) < 1e-4 }, "\(output)")
            }
        }

        private func manyRows() throws -> Int { try 24 * TestDevice.context.get().device.computeUnits }

        @Test func oneLaunchComputesBoth() throws {
            #expect(try kernels(rows: manyRows()) { _ in nil } == ["matmul_panels"])
        }

        @Test func withFewRowsEachHasItsOwn() throws {
            #expect(try kernels(rows: manyRows() - 1) { _ in nil } == ["matmul_panels", "layer_norm"])
        }

        /// The layer's other work-groups still read it.
        @Test func aNormIntoTheLayersInputWaits() throws {
            #expect(try kernels(rows: manyRows()) { x in x } == ["matmul_panels", "layer_norm"])
        }
    }
}
