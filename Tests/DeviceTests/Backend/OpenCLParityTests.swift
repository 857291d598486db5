import ComputeCore
import OpenCLBackend
import Testing
import _DriverFaults
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
            #expect(outcome.isPassed, "\(parityCase) on \(path), seed \(seed): \(outcome)")
            if outcome.isVacuous {
                // A single cell may well be off.
                let count = try parityCase.make(seed).elementCount
                #expect(count < 32, "\(parityCase), seed \(seed): zeros against zeros")
            }
        }

        /// In a process of its own, as a fault stays. The last bit of an element is well within the tolerance.
        @Test func aRunThatCannotBeRepeatedFails() async {
            await #expect(processExitsWith: .success) {
                let parityCase = try #require(
                    ParityCase.all.first { $0.description == "linear B=1 M=8 N=32 K=16 relu" })
                let backend = try TestDevice.backend(isolation: .margins)
                provoke(DRIVER_FAULT_RACE)
                let outcome = try parityCase.check(on: backend, seed: 1)
                #expect(outcome.comparison.worst <= outcome.tolerance && outcome.damagedMargins == 0)
                #expect(outcome.unsteadyCount == 1 && !outcome.isPassed)
                #expect(outcome.description.hasSuffix(", 1 elements differ between two runs"))
            }
        }
    }
}
