import ComputeCore
import Testing

@Suite struct PlanTests {
    @Test func aParameterIsDeclaredOnce() {
        var plan = Plan()
        let first = plan.parameter(ParameterKey("w"), [3, 4], .matrix)
        #expect(plan.parameter(ParameterKey("w"), [3, 4], .matrix) == first)
        #expect(plan.parameter(ParameterKey("w", .gradient), [3, 4], .matrix) != first)
        #expect(plan.parameters.map(\.key) == [ParameterKey("w"), ParameterKey("w", .gradient)])
    }

    @Test func tensorsAreFoundByName() throws {
        var plan = Plan()
        let x = plan.input("x", [2], .int32)
        #expect(try plan.tensor(named: "x") == x)
        #expect(throws: BackendError.unknownTensor("y", known: ["x"])) { try plan.tensor(named: "y") }
        #expect(throws: BackendError.tensorMismatch("x", expected: "int32 [2]", found: "float32 [3]")) {
            try plan.tensor(named: "x", fitting: HostTensor([3], [1, 2, 3] as [Float]))
        }
    }

    @Test func whatDoesNotFitIsNotAppended() {
        var plan = Plan()
        let (values, output) = (plan.input("values", [4]), plan.intermediate([2]))
        #expect(throws: ValidationError.self) { try plan.append(SumValues(values: values, output: output)) }
        #expect(plan.operations.isEmpty)
    }

    @Test func workIsTheSumOfTheOperations() throws {
        var plan = Plan()
        let x = plan.input("x", [1, 4, 8])
        let weight = plan.parameter(ParameterKey("w"), [8, 8], .matrix)
        for _ in 0..<3 {
            try plan.append(Linear(input: x.matrix, weight: weight, output: plan.intermediate([1, 4, 8]).matrix))
        }
        #expect(plan.work.flops == 3 * 2 * 4 * 8 * 8)
        #expect(plan.work.bytes == 3 * 4 * (32 + 64 + 32))
    }
}
