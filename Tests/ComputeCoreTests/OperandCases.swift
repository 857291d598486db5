import ComputeCore

/// Hands out the tensors of one operation, one of them other than the operation wants it, or two in the same memory.
struct Arguments {
    /// How one tensor is spoilt.
    enum Fault: CaseIterable {
        /// int32 for float32, float32 for int32.
        case elementType
        /// One more axis, of extent 1, in front.
        case rank
        /// One more element on the first axis.
        case firstExtent
        /// One more element on the last axis.
        case lastExtent
        /// Nothing on the first axis.
        case empty
    }

    private(set) var names: [String] = []
    private var plan = Plan()
    private let spoilt: (name: String, fault: Fault)?
    private let sharing: Set<String>
    private var shared: Tensor?
    /// Whether the two that were to share memory do; they have as many elements of one type.
    private(set) var haveShared = false

    init(spoiling name: String? = nil, with fault: Fault = .rank, sharing: Set<String> = []) {
        spoilt = name.map { ($0, fault) }
        self.sharing = sharing
    }

    /// Checks an operation on these tensors, as recording it does.
    func check(_ operation: any Operation) throws(ValidationError) {
        var plan = plan
        try plan.append(operation)
    }

    /// The tensor of an argument, in a layout where it is a parameter.
    mutating func callAsFunction(
        _ name: String, _ shape: Shape, _ elementType: ElementType = .float32, as layout: ParameterLayout? = nil
    ) -> Tensor {
        names.append(name)
        guard let spoilt, spoilt.name == name else {
            if sharing.contains(name), let other = shared, let tensor = try? other.reshaped(to: shape),
                tensor.elementType == elementType
            {
                haveShared = true
                return tensor
            }
            let tensor =
                layout.map { plan.parameter(ParameterKey(name), shape, $0) } ?? plan.intermediate(shape, elementType)
            if sharing.contains(name) { shared = tensor }
            return tensor
        }
        var dimensions = shape.dimensions
        switch spoilt.fault {
        case .elementType: return plan.intermediate(shape, elementType == .int32 ? .float32 : .int32)
        case .rank: dimensions.insert(1, at: 0)
        case .firstExtent: dimensions[0] += 1
        case .lastExtent: dimensions[dimensions.count - 1] += 1
        case .empty: dimensions[0] = 0
        }
        return plan.intermediate(Shape(dimensions), elementType)
    }
}

/// An operation whose arguments fit.
struct OperandCase: Sendable, CustomStringConvertible {
    let description: String
    /// Arguments that set the sizes of others: where their shape is wrong, an error may name one of those instead.
    let leading: Set<String>
    /// What fits nevertheless: sizes that nothing else depends on, and views, for which all axes but the last are rows.
    let harmless: [String: Set<Arguments.Fault>]
    let make: @Sendable (inout Arguments) -> any Operation

    init(
        _ description: String, leading: Set<String>, harmless: [String: Set<Arguments.Fault>] = [:],
        make: @escaping @Sendable (inout Arguments) -> any Operation
    ) {
        self.description = description
        self.leading = leading
        self.harmless = harmless
        self.make = make
    }

    /// Every operation; B = 2, S = 6.
    static let all = layers + noise + training
}

// MARK: - Layers

extension OperandCase {
    private static let layers = [
        OperandCase("embedding", leading: ["tokens", "table"], harmless: ["table": [.firstExtent]]) { embedding(&$0) },
        OperandCase("layer_norm", leading: ["input"]) { layerNorm(&$0) },
        OperandCase(
            "linear", leading: ["input", "weight"],
            harmless: ["input": [.rank], "residual": [.rank], "output": [.rank]]
        ) { linear(&$0, residual: $0("residual", [2, 6, 5])) },
        OperandCase("attention", leading: ["output"]) { attention(&$0) },
        OperandCase(
            "selective_scan", leading: ["input", "logDecay"],
            harmless: ["inputMatrix": [.rank], "outputMatrix": [.rank], "gate": [.rank]]
        ) {
            scan(&$0, initialState: $0("initialState", [2, 8, 3]), finalState: $0("finalState", [2, 8, 3]))
        },
        OperandCase("activate", leading: ["input"]) {
            Activate(input: $0("input", [2, 6, 4]), activation: .gelu, output: $0("output", [2, 6, 4]))
        },
        OperandCase(
            "causal_convolution", leading: ["output"], harmless: ["input": [.rank], "weight": [.lastExtent]]
        ) { causalConvolution(&$0) },
        OperandCase("copy_rows", leading: ["source"], harmless: ["source": [.rank], "target": [.rank]]) {
            CopyRows(
                source: $0("source", [2, 6, 4]).matrix, target: $0("target", [2, 6, 4]).matrix, accumulates: false)
        },
        OperandCase("strided_convolution", leading: ["input", "weight"]) { stridedConvolution(&$0) },
        OperandCase("transposed_convolution", leading: ["input", "weight"]) { transposedConvolution(&$0) },
    ]

    static func embedding(_ a: inout Arguments) -> Embedding {
        Embedding(tokens: a("tokens", [2, 6], .int32), table: a("table", [9, 4]), output: a("output", [2, 6, 4]))
    }

    static func layerNorm(_ a: inout Arguments, epsilon: Float = 1e-5) -> LayerNorm {
        LayerNorm(
            input: a("input", [2, 6, 4]), weight: a("weight", [4]), bias: a("bias", [4]), epsilon: epsilon,
            output: a("output", [2, 6, 4]))
    }

    static func linear(_ a: inout Arguments, residual: Tensor? = nil) -> Linear {
        Linear(
            input: a("input", [2, 6, 4]).matrix, weight: a("weight", [5, 4], as: .matrix), bias: a("bias", [5]),
            residual: residual, output: a("output", [2, 6, 5]).matrix)
    }

    static func attention(_ a: inout Arguments, headCount: Int = 2, rotaryBase: Float = 10000) -> Attention {
        Attention(
            projections: a("projections", [2, 6, 24]), headCount: headCount, rotaryBase: rotaryBase,
            output: a("output", [2, 6, 8]), logSumExp: a("logSumExp", [2, 2, 6]))
    }

    static func scan(
        _ a: inout Arguments, states: Int = 3, initialState: Tensor? = nil, finalState: Tensor? = nil
    ) -> SelectiveScan {
        SelectiveScan(
            input: a("input", [2, 6, 8]), delta: a("delta", [2, 6, 8]),
            inputMatrix: a("inputMatrix", [2, 6, states]).matrix,
            outputMatrix: a("outputMatrix", [2, 6, states]).matrix,
            gate: a("gate", [2, 6, 8]).matrix, logDecay: a("logDecay", [8, states]), skip: a("skip", [8]),
            output: a("output", [2, 6, 8]), initialState: initialState, finalState: finalState)
    }

    static func causalConvolution(_ a: inout Arguments) -> CausalConvolution {
        CausalConvolution(
            input: a("input", [2, 6, 4]).matrix, weight: a("weight", [4, 1, 3]), bias: a("bias", [4]),
            output: a("output", [2, 6, 4]))
    }

    static func stridedConvolution(_ a: inout Arguments) -> StridedConvolution {
        StridedConvolution(
            input: a("input", [2, 8, 3]), weight: a("weight", [5, 3, 4], as: .stridedConvolution), bias: a("bias", [5]),
            activation: .relu, output: a("output", [2, 2, 5]))
    }

    static func transposedConvolution(_ a: inout Arguments) -> TransposedConvolution {
        TransposedConvolution(
            input: a("input", [2, 2, 5]), weight: a("weight", [5, 3, 4], as: .transposedConvolution),
            bias: a("bias", [3]),
            activation: .relu, output: a("output", [2, 8, 3]))
    }
}

// MARK: - Noise

extension OperandCase {
    private static let noise = [
        OperandCase("corrupt", leading: ["clean"]) {
            Corrupt(
                clean: $0("clean", [2, 6], .int32), thresholds: $0("thresholds", [2, 6, 2], .int32),
                step: $0("step", StepParameters.shape, .int32), maskToken: 9, noisy: $0("noisy", [2, 6], .int32))
        },
        OperandCase("reveal, scheduled", leading: ["tokens"]) {
            reveal(&$0, rule: .scheduled($0("revealSteps", [2, 6], .int32)))
        },
        OperandCase("reveal, confidence", leading: ["tokens"]) {
            reveal(&$0, rule: .confidence($0("confidence", [2, 6])))
        },
        OperandCase("token_draw", leading: ["logits"]) { tokenDraw(&$0) },
        OperandCase("cell_draw", leading: ["logits"]) {
            CellDraw(
                logits: $0("logits", [2, 3, 4]), step: $0("step", StepParameters.shape, .int32), temperature: 1,
                estimate: $0("estimate", [2, 3, 4]), nearTies: $0("nearTies", [2, 3, 4], .int32))
        },
        OperandCase("binomial_step", leading: ["current"]) {
            BinomialStep(
                current: $0("current", [2, 3, 4]), estimate: $0("estimate", [2, 3, 4]), known: $0("known", [2, 3, 4]),
                thresholds: $0("thresholds", [2, 2, 4, 2], .int32), step: $0("step", StepParameters.shape, .int32),
                purpose: .reveal, output: $0("output", [2, 3, 4]))
        },
        OperandCase("grammar_draw", leading: ["logits", "ends"], harmless: ["moves": [.firstExtent]]) {
            grammarDraw(&$0)
        },
    ]

    static func reveal(_ a: inout Arguments, rule: Reveal.Rule, length: Int = 6) -> Reveal {
        Reveal(
            tokens: a("tokens", [2, 6], .int32), candidates: a("candidates", [2, 6], .int32),
            step: a("step", StepParameters.shape, .int32), rule: rule, length: length, maskToken: 9)
    }

    static func tokenDraw(_ a: inout Arguments, temperature: Float = 1, topP: Float = 1) -> TokenDraw {
        TokenDraw(
            logits: a("logits", [2, 6, 9]), tokens: a("tokens", [2, 6], .int32), allowed: a("allowed", [9], .int32),
            step: a("step", StepParameters.shape, .int32), temperature: temperature, topP: topP, maskToken: 9,
            candidates: a("candidates", [2, 6], .int32), confidence: a("confidence", [2, 6]),
            nearTies: a("nearTies", [2, 6], .int32))
    }

    /// S = 3 states, C = 4 classes, 2 of them drawn.
    static func grammarDraw(
        _ a: inout Arguments, temperature: Float = 1, topP: Float = 1, length: Int = 6, drawnClassCount: Int = 2,
        start: Int32 = 0, longestChain: Int = 2
    ) -> GrammarDraw {
        GrammarDraw(
            logits: a("logits", [2, 6, 9]), tokens: a("tokens", [2, 6], .int32),
            automaton: GrammarDraw.Automaton(
                given: a("given", [2, 6], .int32), classes: a("classes", [9], .int32), arcs: a("arcs", [3, 3], .int32),
                moves: a("moves", [4, 3], .int32), ends: a("ends", [3], .int32), drawnClassCount: drawnClassCount,
                start: start, longestChain: longestChain),
            step: a("step", StepParameters.shape, .int32), temperature: temperature, topP: topP, length: length,
            maskToken: 9, candidates: a("candidates", [2, 6], .int32), confidence: a("confidence", [2, 6]),
            nearTies: a("nearTies", [2, 6], .int32))
    }
}
