import ComputeCore
import ReferenceBackend
import Testing

/// Every backward operation against differences of the loss, both on the reference, whose sums are Double.
///
/// The difference is (8·(f(x + h) − f(x − h)) − (f(x + 2h) − f(x − 2h))) / 12h, of fourth order, so that h can be large
/// beside the rounding of the stored float32 values.
@Suite struct FiniteDifferenceTests {
    private static let cases: [GradientCase] = [
        GradientCase("linear", spacing: 0x1p-10) { leaves in
            let x = leaves.input("x", [2, 3, 6])
            let y = leaves.plan.intermediate([2, 3, 5])
            for (inputs, outputs, activation) in [(0..<4, 0..<2, Activation.none), (4..<6, 2..<5, .relu)] {
                try leaves.plan.append(
                    Linear(
                        input: x.columns(inputs),
                        weight: leaves.weight("w\(outputs)", [outputs.count, inputs.count], .matrix),
                        bias: leaves.weight("b\(outputs)", [outputs.count]), activation: activation,
                        output: y.columns(outputs)))
            }
            return y
        },
        GradientCase("residual of a tensor that is read twice") { leaves in
            let x = leaves.input("x", [1, 3, 4])
            let y = leaves.plan.intermediate([1, 3, 4])
            try leaves.plan.append(
                Linear(
                    input: x.matrix, weight: leaves.weight("w", [4, 4], .matrix), residual: x, output: y.matrix))
            return y
        },
        GradientCase("share that must be added by a copy") { leaves in
            let x = leaves.input("x", [1, 4, 3])
            let y = leaves.plan.intermediate([1, 4, 6])
            let weight = try leaves.weight("w", [3, 3], .matrix)
            for part in 0..<2 {
                let v = leaves.plan.intermediate([1, 4, 3])
                try leaves.plan.append(
                    CausalConvolution(
                        input: x.matrix, weight: leaves.weight("c\(part)", [3, 1, 2]),
                        bias: leaves.weight("b\(part)", [3]), output: v))
                try leaves.plan.append(
                    Linear(input: v.matrix, weight: weight, output: y.columns(3 * part..<3 * part + 3)))
            }
            return y
        },
        GradientCase("layer_norm, computed again") { leaves in
            let x = leaves.input("x", [2, 2, 5])
            let y = leaves.plan.intermediate([2, 2, 5])
            try leaves.plan.append(
                LayerNorm(
                    input: x, weight: leaves.weight("w", [5]), bias: leaves.weight("b", [5]), epsilon: 1e-5, output: y))
            return y
        },
        GradientCase("activate gelu") { leaves in
            let x = leaves.input("x", [1, 5, 4])
            let y = leaves.plan.intermediate([1, 5, 4])
            try leaves.plan.append(Activate(input: x, activation: .gelu, output: y))
            return y
        },
        GradientCase("activate relu", spacing: 0x1p-10) { leaves in
            let x = leaves.input("x", [1, 5, 4])
            let y = leaves.plan.intermediate([1, 5, 4])
            try leaves.plan.append(Activate(input: x, activation: .relu, output: y))
            return y
        },
        GradientCase("causal_convolution") { leaves in
            let x = leaves.input("x", [2, 5, 3])
            let y = leaves.plan.intermediate([2, 5, 3])
            try leaves.plan.append(
                CausalConvolution(
                    input: x.matrix, weight: leaves.weight("w", [3, 1, 4]), bias: leaves.weight("b", [3]),
                    output: y))
            return y
        },
        GradientCase("selective_scan") { leaves in
            let y = leaves.plan.intermediate([2, 4, 3])
            let selected = leaves.input("selected", [2, 4, 4])
            try leaves.plan.append(
                SelectiveScan(
                    input: leaves.input("u", [2, 4, 3]), delta: leaves.input("delta", [2, 4, 3]),
                    inputMatrix: selected.columns(0..<2), outputMatrix: selected.columns(2..<4),
                    gate: leaves.input("gate", [2, 4, 3]).matrix, logDecay: leaves.weight("A_log", [3, 2]),
                    skip: leaves.weight("D", [3]), output: y))
            return y
        },
        GradientCase("attention") { leaves in
            let y = leaves.plan.intermediate([2, 3, 8])
            try leaves.plan.append(
                Attention(
                    projections: leaves.input("qkv", [2, 3, 24]), headCount: 2, rotaryBase: 10, output: y,
                    logSumExp: leaves.plan.intermediate([2, 2, 3])))
            return y
        },
        GradientCase("embedding") { leaves in
            let y = leaves.plan.intermediate([2, 3, 4])
            let tokens = try leaves.tokens("tokens", [2, 3], [1, 3, 0, 2, 2, 1])
            try leaves.plan.append(Embedding(tokens: tokens, table: leaves.weight("table", [4, 4]), output: y))
            return y
        },
        GradientCase("strided_convolution", spacing: 0x1p-10) { leaves in
            let y = leaves.plan.intermediate([2, 2, 5])
            try leaves.plan.append(
                StridedConvolution(
                    input: leaves.input("x", [2, 6, 2]), weight: leaves.weight("w", [5, 2, 3], .stridedConvolution),
                    bias: leaves.weight("b", [5]), activation: .relu, output: y))
            return y
        },
        GradientCase("transposed_convolution", spacing: 0x1p-10) { leaves in
            let y = leaves.plan.intermediate([2, 6, 4])
            try leaves.plan.append(
                TransposedConvolution(
                    input: leaves.input("x", [2, 2, 5]), weight: leaves.weight("w", [5, 4, 3], .transposedConvolution),
                    bias: leaves.weight("b", [4]), activation: .relu, output: y))
            return y
        },
    ]

    @Test(arguments: cases) func gradientIsTheDifferenceQuotient(_ gradientCase: GradientCase) throws {
        let check = try GradientCheck(gradientCase)
        for leaf in check.leaves.names {
            let found = try check.gradient(of: leaf)
            let expected = try check.differences(of: leaf)
            let largest = expected.reduce(0) { max($0, abs($1)) }
            let worst = zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
            #expect(largest > 1e-4, "\(gradientCase), \(leaf): a gradient of zeros proves nothing")
            #expect(found.allSatisfy { $0.isFinite }, "\(gradientCase), \(leaf): not finite")
            #expect(worst <= 1e-3 * largest, "\(gradientCase), \(leaf): \(worst) of a largest \(largest)")
        }
    }

    @Test func operationWithoutGradientIsNamed() throws {
        var leaves = Leaves()
        let x = leaves.input("x", [1, 2, 3])
        let hidden = leaves.plan.intermediate([1, 2, 3])
        try leaves.plan.append(
            Linear(
                input: x.matrix, weight: leaves.weight("w", [3, 3], .matrix), activation: .gelu,
                output: hidden.matrix))
        try leaves.appendLoss(behind: hidden)
        #expect {
            _ = try GradientTape(differentiating: leaves.plan)
        } throws: {
            "\($0)".hasPrefix("linear: activation: expected one whose slope the output tells")
        }
    }
}

/// A few operations whose gradients are checked.
struct GradientCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// h; small where ReLU's kink must not lie between two points.
    let spacing: Float
    /// Records them and gives the tensor that the loss looks at.
    let record: @Sendable (inout Leaves) throws -> Tensor

    init(
        _ name: String, spacing: Float = 0x1p-5, record: @escaping @Sendable (inout Leaves) throws -> Tensor
    ) {
        testDescription = name
        self.spacing = spacing
        self.record = record
    }
}

/// A plan's inputs and parameters with seeded values.
struct Leaves {
    var plan = Plan()
    private(set) var values: [String: [Float]] = [:]
    private(set) var inputs: [String: Tensor] = [:]
    private(set) var tokens: [String: HostTensor] = [:]
    private(set) var weights: [ParameterSource] = []

    var names: [String] { values.keys.sorted() }

    mutating func input(_ name: String, _ shape: Shape) -> Tensor {
        draw(name, shape)
        let tensor = plan.input(name, shape)
        inputs[name] = tensor
        return tensor
    }

    mutating func weight(_ name: String, _ shape: Shape, _ layout: ParameterLayout = .plain) throws -> Tensor {
        if values[name] == nil {
            draw(name, shape)
            weights.append(try ParameterSource(ParameterKey(name), layout, shape, values[name]))
            weights.append(try ParameterSource(ParameterKey(name, .gradient), layout, shape, nil))
        }
        return plan.parameter(ParameterKey(name), shape, layout)
    }

    mutating func tokens(_ name: String, _ shape: Shape, _ ids: [Int32]) throws -> Tensor {
        tokens[name] = try HostTensor(shape, ids)
        return plan.input(name, shape, .int32)
    }

    /// A linear layer to five logits, of which most positions count.
    mutating func appendLoss(behind y: Tensor) throws {
        let positions: Shape = [y.shape[0], y.shape[1]]
        let count = positions.elementCount
        let logits = plan.intermediate([y.shape[0], y.shape[1], 5])
        try plan.append(
            Linear(input: y.matrix, weight: weight("head", [5, y.shape[2]], .matrix), output: logits.matrix))
        let losses = plan.intermediate(positions)
        tokens["weights"] = try HostTensor([positions[0]], (0..<positions[0]).map { 1 + Float($0) / 2 })
        try plan.append(
            CrossEntropy(
                logits: logits, targets: tokens("targets", positions, (0..<count).map { Int32($0 % 5) }),
                selector: tokens("mask", positions, (0..<count).map { $0 == 1 ? 0 : 1 }), selected: 1,
                weights: plan.input("weights", [positions[0]]), losses: losses))
        plan.keep(losses, as: "losses")
    }

    private mutating func draw(_ name: String, _ shape: Shape) {
        let stream = UInt32(values.count)
        values[name] = (0..<shape.elementCount).map {
            2 * Philox.unit(Philox.draw(seed: 3, purpose: .initialise, position: UInt32($0), step: stream)) - 1
        }
    }
}

/// Gradients by the backward pass and by differences.
struct GradientCheck {
    let leaves: Leaves
    private let spacing: Float
    private let executable: any Executable
    private let parameters: any ParameterStore

    init(_ gradientCase: GradientCase) throws {
        spacing = gradientCase.spacing
        var leaves = Leaves()
        try leaves.appendLoss(behind: gradientCase.record(&leaves))
        let tape = try GradientTape(differentiating: leaves.plan)
        var plan = tape.plan
        for (name, tensor) in leaves.inputs {
            let gradient = try #require(try tape.gradient(of: tensor), "\(name) has no gradient")
            plan.keep(gradient, as: "gradient of \(name)")
        }
        self.leaves = leaves
        let backend = ReferenceBackend()
        parameters = try backend.prepare(leaves.weights)
        executable = try backend.compile(plan, parameters: parameters)
        for (name, ids) in leaves.tokens { try executable.write(name, ids) }
        for (name, tensor) in leaves.inputs {
            try executable.write(name, HostTensor(tensor.shape, leaves.values[name] ?? []))
        }
    }

    func gradient(of leaf: String) throws -> [Double] {
        if leaves.inputs[leaf] == nil {
            let key = ParameterKey(leaf, .gradient)
            try parameters.write(key, [Float](repeating: 0, count: leaves.values[leaf]?.count ?? 0))
            try executable.run()
            return try parameters.read(key).floats().map(Double.init)
        }
        try executable.run()
        return try executable.read("gradient of \(leaf)").floats().map(Double.init)
    }

    func differences(of leaf: String) throws -> [Double] {
        let values = leaves.values[leaf] ?? []
        let differences = try values.indices.map { index in
            func loss(_ steps: Float) throws -> Double {
                var moved = values
                moved[index] += steps * spacing
                try set(leaf, moved)
                try executable.run()
                return try executable.read("losses").floats().reduce(0) { $0 + Double($1) }
            }
            return try (8 * (loss(1) - loss(-1)) - (loss(2) - loss(-2))) / (12 * Double(spacing))
        }
        try set(leaf, values)
        return differences
    }

    private func set(_ leaf: String, _ values: [Float]) throws {
        if let input = leaves.inputs[leaf] {
            try executable.write(leaf, HostTensor(input.shape, values))
        } else {
            try parameters.write(ParameterKey(leaf), values)
        }
    }
}
