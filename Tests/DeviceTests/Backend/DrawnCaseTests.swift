import OpenCLBackend
import Testing
import _ParityKit

/// Cases whose sizes and values a seed draws; `make soak` runs thousands of them.
private let operations = Set(ParityCase.all.map(\.operation)).sorted()

@Suite struct CaseDrawTests {
    @Test(arguments: operations) func seedsDrawDifferentCases(_ operation: String) throws {
        let cases = try (0..<40).map { try #require(ParityCase.random(operation, seed: $0)) }
        #expect(Set(cases.map(\.description)).count >= 20)
        #expect(
            try cases.map(\.description)
                == (0..<40).map { try #require(ParityCase.random(operation, seed: $0)) }
                .map(\.description))
    }
}

extension OnDevice {
    @Suite struct DrawnCaseTests {
        @Test(arguments: operations, KernelPath.allCases)
        func matchesReference(_ operation: String, _ path: KernelPath) throws {
            let backend = try TestDevice.backend(path, isolation: .margins)
            for seed in UInt64(0)..<2 {
                let parityCase = try #require(ParityCase.random(operation, seed: seed))
                guard backend.supports(parityCase.precision) else { continue }
                let outcome = try parityCase.check(on: backend, seed: seed)
                #expect(outcome.isPassed, "\(parityCase) on \(path), seed \(seed): \(outcome)")
            }
        }
    }
}
