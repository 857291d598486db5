import ComputeCore
import SMDIM
import Testing

@Suite struct GradientTapeTests {
    private let configuration = ModelConfiguration(.tiny)

    private func trainingPlan() throws -> Plan {
        try TokenDenoiser(configuration, purpose: .training).lossPlan(batch: 2, length: 32).training(maximumNorm: 1)
    }

    @Test func everyWeightHasOneGradientInItsOwnLayout() throws {
        let plan = try trainingPlan()
        let weights = try configuration.parameters
        let gradients = plan.parameters.filter { $0.key.slot == .gradient }
        #expect(gradients.count == weights.count)
        for weight in weights {
            let gradient = try #require(gradients.first { $0.key.name == weight.key.name })
            #expect(gradient.shape == weight.shape && gradient.layout == weight.layout)
        }
    }

    /// A residual hands its gradient on; what was normalised or activated is computed again instead of kept.
    @Test func residualsAreNotCopiedAndCheapOutputsAreNotKept() throws {
        let plan = try trainingPlan()
        let blocks = configuration.trunk.blockCount
        func count<Kind: Operation>(_ kind: Kind.Type) -> Int { plan.operations.count { $0 is Kind } }
        #expect(count(CopyRows.self) == 0)
        #expect(count(Activate.self) == 2 * blocks)
        #expect(count(LayerNorm.self) == 2 * (3 * blocks + 1))
        let lives = plan.operations.indices.filter { plan.operations[$0] is LayerNorm }.map { index in
            let output = plan.operations[index].operands.first { $0.access == .write }?.tensor.storage
            return plan.operations.lastIndex { $0.operands.contains { $0.tensor.storage == output } }.map { $0 - index }
        }
        #expect(lives.allSatisfy { ($0 ?? .max) <= 4 }, "a normalised tensor outlives the few operations that read it")
    }

    @Test func columnsThatNothingReadsHaveNoGradient() throws {
        var plan = Plan()
        let x = plan.input("x", [1, 2, 4])
        let hidden = plan.intermediate([1, 2, 6])
        try append(from: x.matrix, to: hidden.matrix, "w1", into: &plan)
        try appendLoss(behind: hidden.columns(0..<3), into: &plan)
        #expect(
            throws: ValidationError(
                operation: "gradient", argument: "columns 0..<6", expected: "all of them to be used", found: "3")
        ) { _ = try GradientTape(differentiating: plan) }
    }

    @Test func columnsThatOverlapAreRefused() throws {
        var plan = Plan()
        let x = plan.input("x", [1, 2, 4])
        let hidden = plan.intermediate([1, 2, 6])
        for (index, columns) in [0..<3, 1..<4].enumerated() {
            try append(
                from: x.columns(columns), to: hidden.columns(3 * index..<3 * index + 3), "w\(index)", into: &plan)
        }
        try appendLoss(behind: hidden.matrix, into: &plan)
        #expect(
            throws: ValidationError(
                operation: "gradient", argument: "columns 0..<3", expected: "the columns of an earlier share",
                found: "[Range(1..<4)]")
        ) { _ = try GradientTape(differentiating: plan) }
    }

    @Test func weightThatIsNoParameterIsRefused() throws {
        var plan = Plan()
        let (x, logits) = (plan.input("x", [1, 2, 3]), plan.intermediate([1, 2, 3]))
        try plan.append(
            LayerNorm(
                input: x, weight: plan.input("w", [3]), bias: plan.parameter(ParameterKey("b"), [3], .plain),
                epsilon: 1e-5, output: logits))
        try appendCrossEntropy(of: logits, into: &plan)
        #expect(
            throws: ValidationError(
                operation: "gradient", argument: "weight", expected: "a parameter", found: "[3] of the plan")
        ) { _ = try GradientTape(differentiating: plan) }
    }

    @Test func weightThatIsResidentRoundedIsRefused() throws {
        var plan = Plan()
        let x = plan.input("x", [1, 2, 4])
        let logits = plan.intermediate([1, 2, 3])
        try plan.append(
            Linear(
                input: x.matrix, weight: plan.parameter(ParameterKey("w"), [3, 4], .bfloat16Matrix),
                precision: .bfloat16, output: logits.matrix))
        try appendCrossEntropy(of: logits, into: &plan)
        #expect(
            throws: ValidationError(
                operation: "gradient", argument: "w", expected: "a weight of layout matrix, whose bits a step can move",
                found: "one of layout bfloat16Matrix")
        ) { _ = try GradientTape(differentiating: plan) }
    }

    @Test func operationWithoutGradientIsRefusedOnlyWhereOneIsWanted() throws {
        var plan = Plan()
        let logits = plan.intermediate([1, 2, 3])
        let total = plan.intermediate([1])
        try plan.append(SumValues(values: plan.input("x", [4]), output: total))
        try plan.append(
            Linear(
                input: total.matrix, weight: plan.parameter(ParameterKey("w"), [6, 1], .matrix),
                output: logits.reshaped(to: [1, 6]).matrix))
        _ = try GradientTape(differentiating: plan)
        try appendCrossEntropy(of: logits, into: &plan)
        #expect(throws: ValidationError.self) { _ = try GradientTape(differentiating: plan) }
    }

    private func append(
        from input: MatrixView, to output: MatrixView, _ name: String, into plan: inout Plan
    ) throws {
        try plan.append(
            Linear(
                input: input, weight: plan.parameter(ParameterKey(name), [output.columns, input.columns], .matrix),
                output: output))
    }

    private func appendLoss(behind view: MatrixView, into plan: inout Plan) throws {
        let logits = plan.intermediate([1, view.rows, 3])
        try append(from: view, to: logits.matrix, "head", into: &plan)
        try appendCrossEntropy(of: logits, into: &plan)
    }

    private func appendCrossEntropy(of logits: Tensor, into plan: inout Plan) throws {
        let positions: Shape = [1, logits.shape[1]]
        try plan.append(
            CrossEntropy(
                logits: logits, targets: plan.input("targets", positions, .int32),
                selector: plan.input("mask", positions, .int32), selected: 1, weights: plan.input("weights", [1]),
                losses: plan.intermediate(positions)))
    }
}
