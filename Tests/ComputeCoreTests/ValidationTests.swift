import ComputeCore
import Testing

@Suite struct ValidationTests {
    /// Spoils every tensor of every operation in every way; all but the harmless ones are refused by name.
    @Test(arguments: OperandCase.all)
    func wrongTensorsAreNamed(_ operation: OperandCase) throws {
        var fitting = Arguments()
        let operationThatFits = operation.make(&fitting)
        try fitting.check(operationThatFits)
        for name in fitting.names {
            for fault in Arguments.Fault.allCases {
                var arguments = Arguments(spoiling: name, with: fault)
                let spoilt = operation.make(&arguments)
                if operation.harmless[name]?.contains(fault) == true {
                    #expect(throws: Never.self, "\(name): \(fault)") { try arguments.check(spoilt) }
                    continue
                }
                let error = #expect(throws: ValidationError.self, "\(name): \(fault)") {
                    try arguments.check(spoilt)
                }
                guard let error else { continue }
                let isNamed = error.argument == name || (fault != .elementType && operation.leading.contains(name))
                #expect(isNamed, "\(name), \(fault): \(error)")
                #expect(error.expected != error.found && !error.description.contains("\n"))
            }
        }
    }

    @Test func everyOperandHasItsArgumentsName() {
        for operation in OperandCase.all {
            var arguments = Arguments()
            let operands = operation.make(&arguments).operands.map { String($0.name.prefix { $0 != "[" }) }
            #expect(Set(operands).isSubset(of: arguments.names), "\(operation)")
        }
    }

    @Test(arguments: [Float(0), -1, .nan, .infinity])
    func epsilonIsPositive(_ epsilon: Float) {
        refuses("epsilon") { OperandCase.layerNorm(&$0, epsilon: epsilon) }
    }

    @Test(arguments: [0, -2, 3, 8, .max])
    func headsDivideTheFeaturesEvenly(_ headCount: Int) {
        refuses("headCount") { OperandCase.attention(&$0, headCount: headCount) }
    }

    @Test func headsHaveAMostWidth() {
        refuses("headCount") {
            Attention(
                projections: $0("projections", [1, 2, 390]), headCount: 1, rotaryBase: 10000,
                output: $0("output", [1, 2, 130]))
        }
    }

    @Test(arguments: [Float(0), -10, .nan, .infinity])
    func rotaryBaseIsPositive(_ base: Float) {
        refuses("rotaryBase") { OperandCase.attention(&$0, rotaryBase: base) }
    }

    @Test func statesHaveAMost() throws {
        var arguments = Arguments()
        let scan = OperandCase.scan(&arguments, states: SelectiveScan.maximumStateCount)
        try arguments.check(scan)
        refuses("logDecay") { OperandCase.scan(&$0, states: SelectiveScan.maximumStateCount + 1) }
    }

    @Test(arguments: [-1, 7, .min, .max])
    func lengthLiesInTheTokens(_ length: Int) {
        refuses("length") { OperandCase.reveal(&$0, rule: .independent, length: length) }
        refuses("length") { OperandCase.grammarDraw(&$0, length: length) }
    }

    @Test(arguments: [Float(-0.1), .nan, .infinity])
    func temperatureIsNotNegative(_ temperature: Float) {
        refuses("temperature") { OperandCase.tokenDraw(&$0, temperature: temperature) }
        refuses("temperature") { OperandCase.grammarDraw(&$0, temperature: temperature) }
    }

    @Test(arguments: [Float(0), -0.5, 1.001, .nan])
    func topPIsAProbability(_ topP: Float) {
        refuses("topP") { OperandCase.tokenDraw(&$0, topP: topP) }
        refuses("topP") { OperandCase.grammarDraw(&$0, topP: topP) }
    }

    @Test func automataStartInAStateAndDrawSomeOfTheirClasses() {
        for length in [0, -1, 4] { refuses("longestChain") { OperandCase.grammarDraw(&$0, longestChain: length) } }
        for count in [0, -1, 5] { refuses("drawnClassCount") { OperandCase.grammarDraw(&$0, drawnClassCount: count) } }
        for state: Int32 in [-1, 3, .max] { refuses("start") { OperandCase.grammarDraw(&$0, start: state) } }
    }

    @Test(arguments: [Float(-0.1), .nan, .infinity])
    func decayIsNotNegative(_ decay: Float) {
        refuses("decay") { OperandCase.adamW(&$0, decay: decay) }
    }

    @Test(arguments: [Float(0), -1, .nan])
    func maximumNormIsPositive(_ maximum: Float) {
        refuses("maximum") {
            GradientNorm(gradients: [$0("gradients", [3])], maximum: maximum, output: $0("output", [2]))
        }
        refuses("gradients") { GradientNorm(gradients: [], maximum: 1, output: $0("output", [2])) }
    }

    @Test(arguments: [0..<5, 3..<7, -1..<3])
    func viewsLieInsideTheirTensor(_ columns: Range<Int>) {
        refuses("input") {
            Linear(
                input: $0("input", [6, 4]).columns(columns), weight: $0("weight", [2, columns.count]),
                output: $0("output", [6, 2]).matrix)
        }
    }

    @Test func gradientsNeedWhatTheLayerSaved() {
        refuses("forward.logSumExp") {
            AttentionBackward(
                forward: Attention(
                    projections: $0("projections", [2, 6, 24]), headCount: 2, rotaryBase: 10000,
                    output: $0("output", [2, 6, 8])),
                outputGradient: $0("outputGradient", [2, 6, 8]),
                projectionsGradient: $0("projectionsGradient", [2, 6, 24]))
        }
        refuses("activation") {
            ActivationBackward(
                gradient: $0("gradient", [6, 4]).matrix, saved: $0("saved", [6, 4]).matrix, activation: .none)
        }
        refuses("biasGradient") {
            LinearBackward(
                forward: OperandCase.linear(&$0), outputGradient: $0("outputGradient", [2, 6, 5]).matrix,
                inputGradient: $0("inputGradient", [2, 6, 4]).matrix, accumulates: false,
                weightGradient: $0("weightGradient", [5, 4]), biasGradient: nil)
        }
    }

    /// Whatever is written and anything else in the same memory, but for the one operation that works in place.
    @Test(arguments: OperandCase.all)
    func writtenArgumentsHaveMemoryOfTheirOwn(_ operation: OperandCase) throws {
        var fitting = Arguments()
        let operands = operation.make(&fitting).operands
        for written in operands where written.access != .read {
            for other in operands where other.name != written.name {
                var arguments = Arguments(sharing: [written.name, other.name])
                let sharing = operation.make(&arguments)
                guard arguments.haveShared else { continue }
                if operation.description == "binomial_step", written.name == "output", other.name == "current" {
                    try arguments.check(sharing)
                    continue
                }
                let error = #expect(throws: ValidationError.self) { try arguments.check(sharing) }
                #expect(error.map { [written.name, other.name].contains($0.argument) } == true, "\(other.name)")
            }
        }
    }

    @Test func gradientsMayBeOtherColumnsOfOneTensor() throws {
        for (columns, isAllowed) in [(3..<6, true), (2..<5, false)] {
            var arguments = Arguments()
            let gradients = arguments("gradients", [2, 6, 6])
            let operation = SelectiveScanBackward(
                forward: OperandCase.scan(&arguments), outputGradient: arguments("outputGradient", [2, 6, 8]),
                inputGradient: arguments("inputGradient", [2, 6, 8]),
                deltaGradient: arguments("deltaGradient", [2, 6, 8]), inputMatrixGradient: gradients.columns(0..<3),
                outputMatrixGradient: gradients.columns(columns),
                gateGradient: arguments("gateGradient", [2, 6, 8]).matrix,
                logDecayGradient: arguments("logDecayGradient", [8, 3]), skipGradient: arguments("skipGradient", [8]))
            let isAccepted = (try? arguments.check(operation)) != nil
            #expect(isAccepted == isAllowed)
        }
    }

    @Test func parametersHaveTheAxesOfTheirLayout() throws {
        for (layout, rank) in [(ParameterLayout.matrix, 2), (.stridedConvolution, 3), (.transposedConvolution, 3)] {
            for axes in 0...4 {
                let shape = Shape([Int](repeating: 2, count: axes))
                let source = try? ParameterSource(ParameterKey("w"), layout, shape, nil)
                #expect((source != nil) == (axes == rank), "\(layout) \(shape)")
            }
        }
        _ = try ParameterSource(ParameterKey("w"), .plain, [], [1])
    }

    @Test func aNumberIsNoMatrix() {
        refuses("residual") { OperandCase.linear(&$0, residual: $0("residual", [])) }
        refuses("input") { Activate(input: $0("input", []), activation: .gelu, output: $0("output", [])) }
    }

    /// Elements meet where they lie, so that an optimiser's tensors lie alike.
    @Test(arguments: ["gradient", "firstMoment", "secondMoment", "average"])
    func theStateOfAWeightLiesAsItDoes(_ other: String) throws {
        for layouts: (ParameterLayout, ParameterLayout) in [(.matrix, .plain), (.plain, .matrix), (.matrix, .matrix)] {
            var arguments = Arguments()
            func state(_ name: String) -> Tensor {
                arguments(name, [5, 4], as: name == other ? layouts.1 : layouts.0)
            }
            let step = AdamW(
                weight: state("weight"), gradient: state("gradient"), firstMoment: state("firstMoment"),
                secondMoment: state("secondMoment"), average: state("average"), clip: arguments("clip", [2]),
                schedule: arguments("schedule", AdamWSchedule.shape), decay: 0)
            if layouts.0 == layouts.1 {
                try arguments.check(step)
            } else {
                let error = #expect(throws: ValidationError.self) { try arguments.check(step) }
                #expect(error?.argument == other)
            }
        }
    }

    /// A backend keeps a weight in the order in which its product reads it.
    @Test func weightsLieAsTheirOperationReadsThem() throws {
        for precision in Precision.allCases {
            for layout: ParameterLayout? in ParameterLayout.allCases + [nil] {
                var arguments = Arguments()
                let operation = Linear(
                    input: arguments("input", [6, 4]).matrix, weight: arguments("weight", [5, 4], as: layout),
                    precision: precision, output: arguments("output", [6, 5]).matrix)
                if layout == .matrix || (precision == .bfloat16 && layout == .bfloat16Matrix) {
                    try arguments.check(operation)
                    continue
                }
                let error = #expect(throws: ValidationError.self) { try arguments.check(operation) }
                #expect(error?.argument == "weight", "\(precision) \(String(describing: layout))")
            }
        }
        refuses("weight") {
            LinearBackward(
                forward: Linear(
                    input: $0("input", [6, 4]).matrix, weight: $0("weight", [5, 4], as: .bfloat16Matrix),
                    precision: .bfloat16, output: $0("output", [6, 5]).matrix),
                outputGradient: $0("outputGradient", [6, 5]).matrix, inputGradient: $0("inputGradient", [6, 4]).matrix,
                accumulates: false, weightGradient: $0("weightGradient", [5, 4], as: .matrix), biasGradient: nil)
        }
        refuses("source") {
            CopyRows(
                source: $0("source", [6, 4], as: .matrix).matrix, target: $0("target", [6, 4]).matrix,
                accumulates: false)
        }
    }

    /// An output that is an input too would be read after it was overwritten.
    @Test func outputsHaveMemoryOfTheirOwn() {
        refuses("output") {
            let x = $0("x", [2, 6, 4])
            return LayerNorm(input: x, weight: $0("w", [4]), bias: $0("b", [4]), epsilon: 1e-5, output: x)
        }
        refuses("output") {
            let x = $0("x", [6, 4])
            return Linear(input: x.matrix, weight: $0("w", [4, 4], as: .matrix), output: x.matrix)
        }
        refuses("output") {
            let x = $0("x", [2, 6, 4])
            return CausalConvolution(input: x.matrix, weight: $0("w", [4, 1, 3]), bias: $0("b", [4]), output: x)
        }
        refuses("output") {
            let x = $0("x", [6, 4])
            return Linear(
                input: $0("input", [6, 4]).matrix, weight: $0("w", [4, 4], as: .matrix), residual: x, output: x.matrix)
        }
        refuses("target") {
            let x = $0("x", [6, 4])
            return CopyRows(source: x.columns(0..<2), target: x.columns(2..<4), accumulates: false)
        }
    }

    private func refuses(
        _ argument: String, _ location: SourceLocation = #_sourceLocation,
        _ make: (inout Arguments) -> any Operation
    ) {
        var arguments = Arguments()
        let operation = make(&arguments)
        let error = #expect(throws: ValidationError.self, sourceLocation: location) { try arguments.check(operation) }
        #expect(error?.argument == argument, sourceLocation: location)
    }
}
