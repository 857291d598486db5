import ComputeCore
import OpenCLBackend
import Testing
import _ParityKit

extension OnDevice {
    @Suite struct ParameterTests {
        /// A weight lies in panels, whoever writes it.
        @Test(arguments: KernelPath.allCases)
        func aKeptWeightIsWrittenAsItLies(_ path: KernelPath) throws {
            let key = ParameterKey("w")
            let backend = try TestDevice.backend(path)
            let parameters = try backend.prepare([ParameterSource(key, .matrix, [33, 5], nil)])
            var plan = Plan()
            let weight = plan.parameter(key, [33, 5], .matrix)
            let output = plan.intermediate([1, 33])
            try plan.append(Linear(input: plan.input("x", [1, 5]).matrix, weight: weight, output: output.matrix))
            plan.keep(weight, as: "w")
            plan.keep(output, as: "y")
            let executable = try backend.compile(plan, parameters: parameters)
            let values = (0..<33 * 5).map { Float($0) }
            try executable.write("w", HostTensor([33, 5], values))
            try executable.write("x", HostTensor([1, 5], [Float](arrayLiteral: 0, 0, 1, 0, 0)))
            try executable.run()
            #expect(try executable.read("y").floats() == (0..<33).map { Float(5 * $0 + 2) })
            #expect(try executable.read("w").floats() == values)
            #expect(try parameters.read(key).floats() == values)
        }
    }
}
