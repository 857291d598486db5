import ComputeCore
import OpenCLBackend
import OpenCLRuntime
import Testing
import _ParityKit

/// The bfloat16 case of these sizes.
private func parityCase(_ sizes: String) throws -> ParityCase {
    try #require(ParityCase.all.first { $0.precision == .bfloat16 && $0.description.contains(sizes) })
}

private let available = (try? BFloat16Products.available(on: TestDevice.context.get().device)) ?? []

extension OnDevice {
    /// Every way of multiplying bfloat16 that the processor has; the other suites take the first.
    @Suite(.needsBFloat16) struct BFloat16ProductsSuite {
        @Test(arguments: available.dropFirst(), ParityCase.all.filter { $0.precision == .bfloat16 })
        func matchesTheReference(_ products: BFloat16Products, _ parityCase: ParityCase) throws {
            let backend = try backend(products, isolation: .margins)
            #expect(backend.bfloat16 == products)
            let outcome = try parityCase.check(on: backend, seed: 20_261_121)
            #expect(outcome.isPassed, "\(parityCase): \(outcome)")
        }

        /// Each sums in an order of its own.
        @Test(.enabled(if: available.count > 1, "there is one"), arguments: ["M=65 N=64 K=1024", "S=515 H=1 d=64"])
        func isTaken(_ name: String) throws {
            let instance = try parityCase(name).make(1)
            let outputs = try available.map { try instance.run(on: backend($0)).outputs }
            for (index, output) in outputs.enumerated() { #expect(!outputs[..<index].contains(output)) }
        }

        /// Rows of a work-item change which work-item sums an element, never the order of its sum.
        @Test(arguments: available, [64, 128, 256])
        func rowsOfAWorkItemChangeNoBit(_ products: BFloat16Products, _ rows: Int) throws {
            let instance = try parityCase("M=65 N=64 K=1024").make(1)
            var tuning = Tuning()
            tuning.products[ProductShape(rows: 65, outputs: 64, inputs: 1024, precision: .bfloat16)] = rows
            let plain = try instance.run(on: backend(products)).outputs
            #expect(try instance.run(on: backend(products, tuning: tuning)).outputs == plain)
        }

        /// Two for each factor of a pair, four for a widened one.
        @Test(arguments: available) func weightsTakeTheirBytes(_ products: BFloat16Products) throws {
            let weight = try ParameterSource(ParameterKey("w"), .bfloat16Matrix, [64, 128], nil)
            #expect(try backend(products).prepare([weight]).byteCount == 64 * 128 * (products == .widened ? 4 : 2))
        }

        /// The first position is not turned: there q, k and v are rounded as they come, and at the second v.
        @Test(arguments: available) func attentionRoundsItsFactors(_ products: BFloat16Products) throws {
            let width = 32
            var plan = Plan()
            let projections = plan.input("projections", [1, 2, 3 * width])
            let output = plan.intermediate([1, 2, width])
            try plan.append(
                Attention(
                    projections: projections, headCount: 1, rotaryBase: 10000, precision: .bfloat16, output: output))
            plan.keep(output, as: "output")
            let backend = try backend(products)
            let executable = try backend.compile(plan, parameters: backend.prepare([]))
            let outputs = try [0, 0x1p-10 as Float].map { excess in
                let values = (0..<6 * width).map { index in
                    let turned = (3 * width..<5 * width).contains(index)
                    return Float(index * 7 % 23 - 11) / 8 * (turned ? 1 : 1 + excess)
                }
                try executable.write("projections", HostTensor(projections.shape, values))
                try executable.run()
                return try executable.read("output")
            }
            #expect(try outputs[0].floats().elementsEqual(outputs[1].floats()))
        }

        /// Not even in the bytes that they take, for panels of as many floats lie in another order than rows.
        @Test func parametersOfAnotherFormOrPathAreRefused() throws {
            var plan = Plan()
            let weight = plan.parameter(ParameterKey("w"), [32, 4], .bfloat16Matrix)
            let output = plan.intermediate([1, 32])
            try plan.append(
                Linear(
                    input: plan.input("x", [1, 4]).matrix, weight: weight, precision: .bfloat16, output: output.matrix))
            let source = try ParameterSource(ParameterKey("w"), .bfloat16Matrix, [32, 4], nil)
            let others =
                try [OpenCLBackend(TestDevice.context.get(), path: .simple)]
                + (available.contains(.pairs) ? [backend(.pairs)] : [])
            for other in others {
                let parameters = try other.prepare([source])
                #expect(throws: BackendError.self) { try backend(.widened).compile(plan, parameters: parameters) }
            }
        }

        @Test func aFormThatTheDeviceHasNotIsRefused() throws {
            let simple = try OpenCLBackend(TestDevice.context.get(), path: .simple, bfloat16: .widened)
            #expect(!simple.supports(.bfloat16))
            let all: [BFloat16Products] = [.amx, .pairs, .widened]
            for products in all {
                #expect(try backend(products).supports(.bfloat16) == available.contains(products))
            }
        }

        private func backend(
            _ products: BFloat16Products, tuning: Tuning = .none, isolation: Isolation = .none
        ) throws -> OpenCLBackend {
            OpenCLBackend(
                try TestDevice.context.get(), path: .vector, tuning: tuning, isolation: isolation, bfloat16: products)
        }
    }
}
