import ComputeCore
import OpenCLBackend
import OpenCLRuntime
import Testing
import _DriverFaults
import _ParityKit

extension OnDevice {
    /// CLBlast has one set of parameters per process, so every test has a process of its own.
    @Suite struct CLBlastParametersTests {
        /// The other set sends the product through the tiled kernel, which wants temporary memory.
        @Test(arguments: [0, 1])
        func theFirstSetOfAProcessStays(_ first: Int) async {
            await #expect(processExitsWith: .success) { [first] in
                let sets = [[:], ["GemmRoutine": ["XGEMM_MIN_INDIRECT_SIZE": 0]]]
                let plan = try ProductShape(rows: 48, outputs: 48, inputs: 48, precision: .float32).plan()
                func byteCount(_ set: Int) throws -> Int {
                    var tuning = Tuning()
                    tuning.clblast = sets[set]
                    return try OpenCLBackend(TestDevice.context.get(), path: .group, tuning: tuning)
                        .memory(of: plan).byteCount
                }
                let bytes = try byteCount(first)
                let error = #expect(throws: OpenCLError.self) { try byteCount(1 - first) }
                guard case .invalidArgument = error else {
                    Issue.record("unexpected \(String(describing: error))")
                    return
                }
                #expect(try byteCount(first) == bytes)
            }
        }

        /// All but CLBlast's own parameters send the product through the tiled kernel.
        @Test func parametersThatGiveAnotherProductDoNotWin() async {
            await #expect(processExitsWith: .success) {
                let context = try TestDevice.context.get()
                let plan = try ProductShape(rows: 48, outputs: 48, inputs: 48, precision: .float32).plan()
                let parameters = plan.parameters.map(ParameterSource.init(zeros:))
                var refused: [String] = []
                var tuner = Tuner(plan, parameters: parameters, on: context) { measured in
                    if measured.seconds == nil { refused.append(measured.choice) }
                }
                tuner.candidates = Array(tuner.candidates.prefix(1))
                provoke(DRIVER_FAULT_MISCOMPILED_PRODUCT)
                #expect(try tuner.tune(.none).clblast == [:])
                #expect(refused == tuner.candidates.map(\.name))
            }
        }

        @Test(.enabled(if: Soak.isOn, "make soak runs it: CLBlast compiles for a minute"))
        func theTunerMeasuresCLBlastAsItComesFirst() async {
            await #expect(processExitsWith: .success) {
                let context = try TestDevice.context.get()
                let plan = try ProductShape(rows: 48, outputs: 48, inputs: 48, precision: .float32).plan()
                let parameters = plan.parameters.map(ParameterSource.init(zeros:))
                var subjects: [String] = []
                var tuner = Tuner(plan, parameters: parameters, on: context) { measured in
                    subjects.append(measured.subject)
                    #expect((measured.seconds == nil) == (measured.choice == "incomplete"))
                }
                var incomplete = try #require(tuner.candidates.last?.parameters)
                incomplete["Xgemm"]?["KWG"] = nil
                tuner.candidates.append((name: "incomplete", parameters: incomplete))
                let tuning = try tuner.tune(.none)
                let step = try #require(subjects.firstIndex(of: "step"))
                let candidates = try #require(subjects.firstIndex(of: "products"))
                #expect(step < candidates)
                #expect(subjects.contains("step, CLBlast tuned") == !tuning.clblast.isEmpty)
                // CLBlast's own parameters cannot be had back, and the process must not compute with others under their name.
                let backend = OpenCLBackend(context, path: .group, tuning: tuning)
                let isRefused = (try? backend.memory(of: plan)) == nil
                #expect(isRefused == tuning.clblast.isEmpty)
            }
        }
    }
}
