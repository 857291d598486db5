import ComputeCore
import OpenCLBackend
import Testing
import _ParityKit

extension OnDevice {
    /// Every case of every operation, on every family of kernels, against the reference.
    @Suite struct Parity {
        @Test(arguments: ParityCase.all, KernelPath.allCases)
        func matchesReference(_ parityCase: ParityCase, _ path: KernelPath) throws {
            let seed: UInt64 = 20_261_121
            let backend = try TestDevice.backend(path, isolation: .margins)
            guard backend.supports(parityCase.precision) else {
                let plan = try parityCase.make(seed).plan
                let refusal = BackendError.unsupportedPrecision(
                    parityCase.precision, operation: parityCase.operation, device: backend.identity.device)
                #expect(throws: refusal) { try backend.memory(of: plan) }
                return
            }
            let outcome = try parityCase.check(on: backend, seed: seed)
            #expect(
                outcome.isPassed,
                """
                \(parityCase) on \(path), seed \(seed): \(outcome.comparison.worst) units of a tolerance of \
                \(parityCase.tolerance) at \(outcome.comparison), damaged margins: \(outcome.damagedMargins), stray marks: \
                \(outcome.strayMarks)
                """)
            if outcome.isVacuous {
                // A single cell may well be off.
                let count = try parityCase.make(seed).elementCount
                #expect(count < 32, "\(parityCase), seed \(seed): zeros against zeros")
            }
        }
    }
}
