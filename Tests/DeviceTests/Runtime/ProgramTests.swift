import OpenCLRuntime
import Testing

extension OnDevice {
    @Suite struct ProgramTests {
        @Test func buildErrorsCiteFileAndLine() throws {
            let context = try OnDevice.context()
            let broken = Specialisation(
                sources: [
                    .init(fileName: "fine.cl", text: "int one(void) { return ONE; }\n\n\n"),
                    .init(fileName: "broken.cl", text: "\n__kernel void k(__global int* x) {\n    x[0] = missing;\n}"),
                ], defines: [.init("ONE", 1)])
            let error = #expect(throws: OpenCLError.self) { try context.program(broken) }
            guard case .buildFailed(let program, let options, let log) = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
            #expect(program == "fine.cl + broken.cl")
            #expect(options.contains("-cl-std=CL1.2") && !options.contains("fast"))
            #expect(log.contains("broken.cl:3") && log.contains("missing"), "\(log)")
            #expect(error?.description.contains("broken.cl:3") == true)
        }

        @Test func definesArePartOfTheProgram() throws {
            let context = try OnDevice.context()
            var shifted = OnDevice.scale
            shifted.defines = [.init("FACTOR_OF_SHIFT", "(1 + 2)")]
            #expect(try OnDevice.runScale(context.program(shifted), in: context) == OnDevice.scaled.map { $0 + 2 })
            #expect(try OnDevice.runScale(context.program(OnDevice.scale), in: context) == OnDevice.scaled)
        }

        @Test func malformedSpecialisationsAreRefused() throws {
            let context = try OnDevice.context()
            var broken = [Specialisation](repeating: OnDevice.scale, count: 6)
            broken[0].sources = []
            broken[1].sources[0].fileName = "a\"b.cl"
            broken[2].defines[0].name = "1A"
            broken[3].defines[0].name = "A B"
            broken[4].defines[0].value = "1\n#error"
            broken[5].defines[0].value = "1\\"
            for specialisation in broken {
                let error = #expect(throws: OpenCLError.self) { try context.program(specialisation) }
                guard case .invalidArgument = error else {
                    Issue.record("unexpected \(String(describing: error))")
                    continue
                }
            }
        }

        @Test func tasksShareOneProgram() async throws {
            let context = try OnDevice.context()
            let before = LiveHandles.now[.program]
            let programs = try await withThrowingTaskGroup(of: Program.self) { group in
                for _ in 0..<8 { group.addTask { try context.program(OnDevice.scale) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(programs.map(ObjectIdentifier.init)).count == 1)
            #expect(LiveHandles.now[.program] - before == 1)
        }

        @Test func aFailedBuildMayBeTriedAgain() throws {
            let context = try OnDevice.context()
            let broken = Specialisation(sources: [.init(fileName: "broken.cl", text: "#error on purpose")])
            for _ in 0..<2 { #expect(throws: OpenCLError.self) { try context.program(broken) } }
        }
    }
}
