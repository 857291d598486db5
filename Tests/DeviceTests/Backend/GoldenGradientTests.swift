import ComputeCore
import OpenCLBackend
import ReferenceBackend
import SMDIM
import Testing
import _ParityKit

extension GoldenModel {
    /// Loss and gradients of the model's own inputs, after a change to the rows of each.
    func gradients(
        precision: Precision = .float32, on backend: any Backend,
        _ change: (_ row: [Int32], _ name: String) -> [Int32] = { row, _ in row }
    ) throws -> [String: HostTensor] {
        func input(_ name: String) throws -> HostTensor {
            let tensor = try expected.tensor(name)
            let (ids, length) = try (tensor.integers(), tensor.shape[1])
            let rows = (0..<tensor.shape[0]).map { change(Array(ids[$0 * length..<($0 + 1) * length]), name) }
            return try HostTensor([rows.count, rows[0].count], rows.flatMap(\.self))
        }
        return try TokenDenoiser(configuration, precision: precision, purpose: .training).gradients(
            noisy: input("tokens.noisy"), clean: input("tokens.clean"), mask: input("mask"), weights: weights,
            on: backend)
    }

    func checkGradients(on backend: any Backend) throws {
        let found = try gradients(on: backend)
        let (loss, expectedLoss) = try (found["loss"]?.floats()[0] ?? .nan, expected.tensor("loss").floats()[0])
        #expect(abs(loss - expectedLoss) <= 1e-4 * abs(expectedLoss), "loss \(loss) against \(expectedLoss)")
        for weight in weights {
            let name = "grad.\(weight.key.name)"
            let gradient = try #require(found[name]).floats()
            let reference = try expected.tensor(name).floats()
            try #require(gradient.count == reference.count, "\(name)")
            let (worst, largest) = worstAndLargest(gradient, beside: reference)
            #expect(gradient.allSatisfy { $0.isFinite }, "\(name) is not finite")
            #expect(worst <= 1e-3 * largest, "\(name): \(worst) of a largest gradient of \(largest)")
            #expect(largest > 0, "\(name): a gradient of zeros proves nothing")
        }
    }
}

/// The largest deviation from what was expected, and the largest magnitude of that.
func worstAndLargest(_ found: [Float], beside expected: [Float]) -> (worst: Float, largest: Float) {
    (
        zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }, expected.reduce(0) { max($0, abs($1)) }
    )
}

@Suite struct GoldenGradientsOnReference {
    @Test(arguments: Golden.names) func gradientsMatchPyTorch(_ name: String) throws {
        try GoldenModel(name).checkGradients(on: ReferenceBackend())
    }

    /// 26 tokens are 6 windows of 4 and half of one, which [MASK] fills without counting.
    @Test func lengthThatIsNoMultipleOfTheStrideIsFilled() throws {
        let model = try GoldenModel("g1")
        let short = try model.gradients(on: ReferenceBackend()) { row, _ in Array(row.prefix(26)) }
        let filled = try model.gradients(on: ReferenceBackend()) { row, name in
            row.prefix(26) + [Int32](repeating: name == "tokens.noisy" ? model.configuration.maskToken : 0, count: 2)
        }
        #expect(try filled != model.gradients(on: ReferenceBackend()), "the last two tokens must matter")
        #expect(short == filled)
    }
}

extension OnDevice {
    @Suite struct GoldenGradients {
        @Test(arguments: Golden.names, KernelPath.allCases)
        func gradientsMatchPyTorch(_ name: String, _ path: KernelPath) throws {
            try GoldenModel(name).checkGradients(on: TestDevice.backend(path))
        }

        @Test(arguments: KernelPath.allCases) func twoRunsGiveTheSameBits(_ path: KernelPath) throws {
            let model = try GoldenModel("g3")
            let runs = try (0..<2).map { _ in try model.gradients(on: TestDevice.backend(path)) }
            for (name, gradient) in runs[0] {
                let bits = try (gradient.floats().map(\.bitPattern), runs[1][name]?.floats().map(\.bitPattern))
                #expect(bits.0 == bits.1, "\(name)")
            }
        }
    }
}
