import ComputeCore
import OpenCLBackend
import OpenCLRuntime
import Testing
import _ParityKit

private let hasAMX = (try? TestDevice.context.get().device.hasAMX) == true

extension OnDevice {
    /// What the other suites, which take the tiles where the processor has them, do not see.
    @Suite(.enabled(if: hasAMX, "needs AMX-BF16")) struct AMX {
        @Test(arguments: ParityCase.all.filter { $0.precision == .bfloat16 })
        func kernelsWithoutThemMatchTheReference(_ parityCase: ParityCase) throws {
            let backend = OpenCLBackend(
                try TestDevice.context.get(), path: .vector, isolation: .margins, amx: false)
            #expect(!backend.usesAMX)
            let outcome = try parityCase.check(on: backend, seed: 20_261_121)
            #expect(outcome.isPassed, "\(parityCase): \(outcome.comparison), margins: \(outcome.damagedMargins)")
        }

        /// Both ways round the same factors and sum in float32, in another order.
        @Test(arguments: ["M=65 N=64 K=1024", "S=515 H=1 d=64 lse bf16"]) func tilesAreTaken(_ name: String) throws {
            let parityCase = try #require(ParityCase.all.first { $0.description.contains(name) })
            let instance = try parityCase.make(1)
            let outputs = try [true, false].map { amx in
                try instance.run(
                    on: OpenCLBackend(TestDevice.context.get(), path: .vector, amx: amx)
                ).outputs
            }
            #expect(outputs[0] != outputs[1])
        }

        /// Rows of a work-item change which work-item sums an element, never the order of its sum.
        @Test(arguments: [64, 128, 256]) func rowsOfAWorkItemChangeNoBit(_ rows: Int) throws {
            let context = try TestDevice.context.get()
            let parityCase = try #require(ParityCase.all.first { $0.description.contains("M=65 N=64 K=1024") })
            let instance = try parityCase.make(1)
            var tuning = Tuning()
            tuning.products[ProductShape(rows: 65, outputs: 64, inputs: 1024, precision: .bfloat16)] = rows
            let plain = try instance.run(on: OpenCLBackend(context, path: .vector)).outputs
            #expect(try instance.run(on: OpenCLBackend(context, path: .vector, tuning: tuning)).outputs == plain)
        }
    }
}
