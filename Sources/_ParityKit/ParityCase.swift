public import ComputeCore

/// One operation at one size: a plan of a single operation, its inputs, and how far a backend may be off.
///
/// The same list of cases serves the tests, `smdim verify` and the benchmarks.
public struct ParityCase: Sendable, CustomStringConvertible {
    /// The operation's stem.
    public let operation: String
    /// The sizes, such as `B=2 S=65 I=40 N=16`; what a report shows.
    public let sizes: String
    /// Of the factors of the operation's products; not every device has bfloat16.
    public let precision: Precision
    /// k of the bound |x − r| ≤ k · 2⁻²⁴ · m, r the reference's value and m its magnitude.
    ///
    /// A case states it for values like the model's, of whose roundings most cancel: a sum of n terms counts n/16. Where terms are
    /// equal, or a few outweigh the others, all roundings may go one way and make up to n, so other kinds of values have 16 times as
    /// much.
    public var tolerance: Double { kind == .model ? modelTolerance : 16 * modelTolerance }
    private let modelTolerance: Double
    /// What the values look like.
    public internal(set) var kind = SeededValues.Kind.model
    private let instance: @Sendable (_ values: SeededValues) throws -> ParityInstance

    /// A case; `make` makes the plan and its inputs.
    public init(
        _ operation: String, _ sizes: String, precision: Precision = .float32, tolerance: Double,
        make: @escaping @Sendable (_ values: SeededValues) throws -> ParityInstance
    ) {
        self.operation = operation
        self.sizes = sizes
        self.precision = precision
        modelTolerance = tolerance
        instance = make
    }

    /// `selective_scan B=2 S=65 I=40 N=16`, with the kind of values unless they are the model's.
    public var description: String { "\(operation) \(sizes)" + (kind == .model ? "" : " \(kind)") }

    /// The case with values; the seed names every one of them.
    ///
    /// - Throws: ``ValidationError`` if the sizes do not fit together, and what the reference throws.
    public func make(_ seed: UInt64) throws -> ParityInstance {
        try instance(SeededValues(seed: seed, kind: kind))
    }
}

/// A case with values.
public struct ParityInstance: Sendable {
    /// A plan whose kept tensors are the inputs, by name, and the outputs.
    public var plan = Plan()
    /// Values of the inputs.
    public private(set) var inputs: [String: HostTensor] = [:]
    /// Values of the parameters.
    public private(set) var parameters: [ParameterSource] = []
    /// The kept tensors to compare.
    public private(set) var outputs: [String] = []
    /// The magnitude m of each element of each output; the reference's own magnitude where an output is missing.
    ///
    /// Where an operation is linear this is the reference run on absolute values: what rounding errors scale with.
    public var magnitudes: [String: [Double]] = [:]
    /// What near-ties of a draw leave open, from the marks that the reference made.
    private(set) var openDraws: (@Sendable (_ marks: [Int32]) -> OpenDraws)?

    /// An instance without operations.
    public init() {}

    /// Declares a float input with its values.
    public mutating func input(_ name: String, _ shape: Shape, _ values: [Float]) throws -> Tensor {
        inputs[name] = try HostTensor(shape, values)
        return plan.input(name, shape)
    }

    /// Declares an integer input with its values.
    public mutating func input(_ name: String, _ shape: Shape, _ values: [Int32]) throws -> Tensor {
        inputs[name] = try HostTensor(shape, values)
        return plan.input(name, shape, .int32)
    }

    /// Declares the inputs of a draw under an automaton with their values.
    public mutating func automaton(
        _ automaton: TokenAutomaton, given: HostTensor
    ) throws -> GrammarDraw.Automaton {
        inputs.merge(try automaton.tables) { _, table in table }
        inputs["given"] = given
        return plan.automaton(automaton, positions: given.shape)
    }

    /// Declares a parameter with its values.
    public mutating func parameter(
        _ name: String, _ shape: Shape, _ values: [Float], as layout: ParameterLayout = .plain
    ) throws -> Tensor {
        parameters.append(try ParameterSource(ParameterKey(name), layout, shape, values))
        return plan.parameter(ParameterKey(name), shape, layout)
    }

    /// Declares an output that will be compared.
    public mutating func output(_ name: String, _ shape: Shape, _ elementType: ElementType = .float32) -> Tensor {
        let tensor = plan.intermediate(shape, elementType)
        compare(tensor, as: name)
        return tensor
    }

    /// Compares a tensor that was declared otherwise, for example an input that the operation updates.
    public mutating func compare(_ tensor: Tensor, as name: String) {
        plan.keep(tensor, as: name)
        outputs.append(name)
    }

    /// What may differ from device to device.
    struct OpenDraws {
        /// Elements of every output.
        var elements: Set<Int> = []
        /// Bits of marks of near-ties, by the mark's index.
        var bits: [Int: Int32] = [:]
    }

    /// Compares a draw's marks of near-ties, and leaves out of the comparison what they leave open.
    mutating func leaveOpen(
        markedBy nearTies: Tensor, _ openDraws: @escaping @Sendable (_ marks: [Int32]) -> OpenDraws
    ) {
        plan.keep(nearTies, as: Self.marks)
        self.openDraws = openDraws
    }

    /// The name of the tensor with the marks of near-ties.
    static let marks = "nearTies"

    /// The elements of all tensors that the operations touch.
    public var elementCount: Int {
        plan.operations.reduce(0) { sum, operation in
            sum + operation.operands.reduce(0) { $0 + $1.tensor.shape.elementCount }
        }
    }

    /// Runs the instance on a backend.
    ///
    /// - Returns: The outputs by name, and the executable for a closer look.
    /// - Throws: what the backend throws.
    public func run(on backend: any Backend) throws -> (outputs: [String: HostTensor], executable: any Executable) {
        let compiled = try compile(on: backend)
        return (try compiled.run(), compiled.executable)
    }

    /// Compiles the instance on a backend.
    ///
    /// - Throws: what the backend throws.
    func compile(on backend: any Backend) throws -> Compiled {
        let store = try backend.prepare(parameters)
        return Compiled(instance: self, store: store, executable: try backend.compile(plan, parameters: store))
    }

    /// An instance that runs as often as one likes.
    struct Compiled {
        let instance: ParityInstance
        let store: any ParameterStore
        let executable: any Executable

        /// The outputs by name, from the same inputs and parameters every time.
        ///
        /// - Throws: what the backend throws.
        func run() throws -> [String: HostTensor] {
            for parameter in instance.parameters {
                if let values = parameter.values { try store.write(parameter.key, values) }
            }
            for (name, values) in instance.inputs { try executable.write(name, values) }
            try executable.run()
            var results: [String: HostTensor] = [:]
            let marks = instance.openDraws == nil ? [] : [ParityInstance.marks]
            for name in instance.outputs + marks { results[name] = try executable.read(name) }
            return results
        }
    }
}
