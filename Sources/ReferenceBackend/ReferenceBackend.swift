public import ComputeCore
import Synchronization

/// The backend that says what is right: plain loops over host memory, one sum at a time, sums in Double.
///
/// It is checked itself, against tensors computed by PyTorch in float64 and against laws, and is never made faster at
/// the price of a line that needs a second look.
public struct ReferenceBackend: Backend {
    /// A reference backend; it has no state.
    public init() {}

    public var identity: BackendIdentity {
        BackendIdentity(device: "reference", driver: "Swift", kernelPath: "plain loops")
    }

    public func prepare(_ parameters: [ParameterSource]) throws -> any ParameterStore {
        ReferenceParameters(parameters)
    }

    public func compile(_ plan: Plan, parameters: any ParameterStore) throws -> any Executable {
        guard let parameters = parameters as? ReferenceParameters else { throw BackendError.foreignParameters }
        return try ReferenceExecutable(plan, parameters: parameters, memory: memory(of: plan))
    }

    public func memory(of plan: Plan) throws -> MemoryPlan {
        MemoryPlan(
            plan, scratchBytes: [], constraints: MemoryPlan.Constraints(alignment: 4, maximumBlockBytes: .max))
    }

    public func memory(of parameters: [ParameterDeclaration]) -> Int {
        parameters.reduce(0) { $0 + 4 * $1.shape.elementCount }
    }
}

/// An operation that the reference executes.
protocol ReferenceOperation: Operation {
    /// Computes the outputs from the inputs.
    func run(on memory: ReferenceMemory) throws
}

final class ReferenceParameters: ParameterStore {
    struct Parameter {
        let shape: Shape
        var values: [Float]
    }

    private let parameters: Mutex<[ParameterKey: Parameter]>

    init(_ sources: [ParameterSource]) {
        var parameters: [ParameterKey: Parameter] = [:]
        for source in sources {
            let values = source.values ?? [Float](repeating: 0, count: source.shape.elementCount)
            parameters[source.key] = Parameter(shape: source.shape, values: values)
        }
        self.parameters = Mutex(parameters)
    }

    var byteCount: Int { parameters.withLock { $0.values.reduce(0) { $0 + 4 * $1.values.count } } }
    var keys: [ParameterKey] { parameters.withLock { Array($0.keys) } }

    func parameter(_ key: ParameterKey) throws(BackendError) -> Parameter {
        guard let parameter = parameters.withLock({ $0[key] }) else { throw .unknownParameter(key) }
        return parameter
    }

    func read(_ key: ParameterKey) throws -> HostTensor {
        let parameter = try parameter(key)
        return try HostTensor(parameter.shape, parameter.values)
    }

    func write(_ key: ParameterKey, _ values: [Float]) throws {
        let parameter = try parameter(key)
        guard parameter.values.count == values.count else {
            throw BackendError.parameterMismatch(key, expected: "\(parameter.shape)", found: "\(values.count) values")
        }
        parameters.withLock { $0[key]?.values = values }
    }
}

final class ReferenceExecutable: Executable {
    let memory: MemoryPlan
    private let plan: Plan
    private let operations: [any ReferenceOperation]
    private let values: ReferenceMemory

    init(_ plan: Plan, parameters: ReferenceParameters, memory: MemoryPlan) throws {
        self.plan = plan
        self.memory = memory
        operations = try plan.operations.map { operation in
            guard let operation = operation as? any ReferenceOperation else {
                throw BackendError.unsupported(operation: operation.name, backend: "reference")
            }
            return operation
        }
        values = try ReferenceMemory(plan, parameters: parameters)
    }

    func write(_ name: String, _ values: HostTensor) throws {
        let tensor = try plan.tensor(named: name, fitting: values)
        try self.values.store(values, in: tensor)
    }

    func run() throws {
        for operation in operations { try operation.run(on: values) }
    }

    func trace(_ visit: (_ operation: any Operation, _ written: [String: HostTensor]) throws -> Bool) throws {
        for operation in operations {
            try operation.run(on: values)
            var written: [String: HostTensor] = [:]
            for operand in operation.operands where operand.access != .read {
                written[operand.name] = try values.hostTensor(operand.tensor)
            }
            guard try visit(operation, written) else { return }
        }
    }

    func wait() {}

    func read(_ name: String) throws -> HostTensor {
        try values.hostTensor(plan.tensor(named: name))
    }
}
