import ComputeCore
import Diffusion
import Foundation
import ReferenceBackend
import Testing
import _ParityKit

extension OnDevice {
    @Suite struct BinomialLawTests {
        private static let shape: Shape = [1, 1000, 1000]

        /// One law over a million cells on some backend; plane 0 is the first half of a row.
        private func cells(of law: CellLaw, on backend: any Backend) throws -> [Float] {
            var plan = Plan()
            let output = plan.intermediate(Self.shape)
            try plan.append(
                BinomialStep(
                    current: plan.input("current", Self.shape), estimate: plan.input("estimate", Self.shape),
                    known: plan.input("known", Self.shape), thresholds: plan.input("thresholds", [1, 2, 4, 2], .int32),
                    step: plan.input("step", StepParameters.shape, .int32), purpose: .reveal, output: output))
            plan.keep(output, as: "output")
            let executable = try backend.compile(plan, parameters: backend.prepare([]))
            let indices = 0..<Self.shape.elementCount
            try executable.write("current", HostTensor(Self.shape, indices.map { Float($0 / 2 % 2) }))
            try executable.write("estimate", HostTensor(Self.shape, indices.map { Float($0 % 2) }))
            try executable.write("known", HostTensor(Self.shape, indices.map { _ in Float(0) }))
            try executable.write("thresholds", HostTensor([1, 2, 4, 2], law.words))
            let step = StepParameters(step: 4, seed: 2024)
            try executable.write("step", HostTensor(StepParameters.shape, step.words))
            try executable.run()
            return try executable.read("output").floats()
        }

        /// Both backends draw the same cells, and they follow the closed form: eight cells of χ², each of one degree of freedom,
        /// against the 0.999 quantile 26.1 of their sum.
        @Test(arguments: BinomialProcess.Schedule.allCases, ["marginal", "posterior", "shared noise"])
        func millionDrawsFollowTheClosedForm(_ schedule: BinomialProcess.Schedule, _ name: String) throws {
            let process = try BinomialProcess(priorDensities: [0.032, 0.3], schedule: schedule)
            let law =
                switch name {
                case "marginal": process.marginal(at: 0.6)
                case "posterior": process.posterior(from: 0.7, to: 0.45)
                default: process.sharedNoise(at: 0.3)
                }
            let drawn = try cells(of: law, on: TestDevice.backend())
            #expect(try drawn == cells(of: law, on: ReferenceBackend()))
            var chiSquare = 0.0
            for plane in 0..<2 {
                for pair in 0..<4 {
                    let chosen = drawn.indices.filter { $0 % 1000 / 500 == plane && $0 % 4 == pair }
                    let p = law.probabilities[plane][pair]
                    let (expected, found) = (p * Double(chosen.count), Double(chosen.count { drawn[$0] == 1 }))
                    chiSquare += p == 0 || p == 1 ? 0 : (found - expected) * (found - expected) / expected / (1 - p)
                    #expect(p != 0 || found == 0)
                    #expect(p != 1 || found == expected)
                }
            }
            #expect(chiSquare < 26.1)
        }
    }
}
