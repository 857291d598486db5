/// A list of operations over tensor handles: a computation written once, then validated, placed in memory and replayed.
///
/// A model records into a plan and never sees a device:
///
///     var plan = Plan()
///     let tokens = plan.input("tokens", [1, 2048], .int32)
///     let logits = try model.record(tokens, into: &plan)
///     plan.keep(logits, as: "logits")
///     let executable = try backend.compile(plan, parameters: parameters)
public struct Plan: Sendable {
    /// What a tensor's memory is for, and therefore how long it lives.
    public enum Role: Hashable, Sendable {
        /// Written by the host before a replay and untouched by the arena.
        case input(String)
        /// A parameter that outlives the plan and is shared between plans.
        case parameter(ParameterKey, ParameterLayout)
        /// Made and consumed inside a replay; its memory is shared with others that live at other times.
        case intermediate
    }

    /// The memory behind one or more ``Tensor`` handles.
    public struct Storage: Hashable, Sendable {
        /// The shape under which it was declared.
        public let shape: Shape
        /// The type of its elements.
        public let elementType: ElementType
        /// What it is for.
        public let role: Role
    }

    /// All storages; a ``Tensor/storage`` is an index into this list.
    public private(set) var storages: [Storage] = []
    /// The operations in the order of execution.
    public private(set) var operations: [any Operation] = []
    /// Tensors that stay readable after a replay, by name.
    public private(set) var kept: [String: Tensor] = [:]
    private var parameterHandles: [ParameterKey: Tensor] = [:]

    /// An empty plan.
    public init() {}

    /// Declares a tensor that the host, or an earlier replay, fills.
    public mutating func input(_ name: String, _ shape: Shape, _ elementType: ElementType = .float32) -> Tensor {
        let tensor = declare(shape, elementType, .input(name))
        kept[name] = tensor
        return tensor
    }

    /// Declares a parameter; a second declaration of one key gives the first handle again.
    public mutating func parameter(_ key: ParameterKey, _ shape: Shape, _ layout: ParameterLayout) -> Tensor {
        if let known = parameterHandles[key] { return known }
        let tensor = declare(shape, .float32, .parameter(key, layout))
        parameterHandles[key] = tensor
        return tensor
    }

    /// Declares a tensor that lives inside a replay only.
    public mutating func intermediate(_ shape: Shape, _ elementType: ElementType = .float32) -> Tensor {
        declare(shape, elementType, .intermediate)
    }

    /// Appends an operation after checking it.
    ///
    /// - Throws: ``ValidationError`` from ``Operation/validate()``, or for an operand of a layout that the operation does not
    ///   take, or one that is written where another is.
    public mutating func append(_ operation: some Operation) throws(ValidationError) {
        try operation.validate()
        try require(operation.operands, by: operation.validator)
        operations.append(operation)
    }

    private func require(_ operands: [Operand], by validator: Validator) throws(ValidationError) {
        for (index, operand) in operands.enumerated() {
            let layout = layout(of: operand.tensor)
            let expected = operand.layouts.map { "\($0)" }.sorted().joined(separator: " or ")
            try validator.require(
                operand.layouts.contains(layout), operand.name, "a parameter of layout \(expected)",
                "layout \(layout)")
            for other in operands[..<index] {
                try validator.require(
                    operand.layoutOf != other.name || layout == self.layout(of: other.tensor), operand.name,
                    "the layout of \(other.name), \(self.layout(of: other.tensor))", "\(layout)")
                let (written, touched) = operand.access == .read ? (other, operand) : (operand, other)
                try validator.require(
                    !written.conflicts(with: touched), written.name, "memory of its own", "that of \(touched.name)")
            }
        }
    }

    private func layout(of tensor: Tensor) -> ParameterLayout {
        if case .parameter(_, let layout) = storages[tensor.storage].role { layout } else { .plain }
    }

    /// Makes `tensor` readable by name after a replay.
    public mutating func keep(_ tensor: Tensor, as name: String) {
        kept[name] = tensor
    }

    /// Sum of the operations' work.
    public var work: Work {
        operations.reduce(into: Work(flops: 0, bytes: 0)) { sum, operation in
            sum.flops += operation.work.flops
            sum.bytes += operation.work.bytes
        }
    }

    private mutating func declare(_ shape: Shape, _ elementType: ElementType, _ role: Role) -> Tensor {
        storages.append(Storage(shape: shape, elementType: elementType, role: role))
        return Tensor(storage: storages.count - 1, shape: shape, elementType: elementType)
    }
}

extension Plan {
    /// The tensor that is kept or fed under `name`.
    ///
    /// - Throws: ``BackendError/unknownTensor(_:known:)``.
    public func tensor(named name: String) throws(BackendError) -> Tensor {
        guard let tensor = kept[name] else { throw .unknownTensor(name, known: Array(kept.keys)) }
        return tensor
    }

    /// The tensor of that name, if `values` have its shape and type.
    ///
    /// - Throws: ``BackendError/unknownTensor(_:known:)`` or ``BackendError/tensorMismatch(_:expected:found:)``.
    public func tensor(named name: String, fitting values: HostTensor) throws(BackendError) -> Tensor {
        let tensor = try tensor(named: name)
        guard tensor.shape == values.shape, tensor.elementType == values.elementType else {
            throw .tensorMismatch(
                name, expected: "\(tensor.elementType) \(tensor.shape)",
                found: "\(values.elementType) \(values.shape)")
        }
        return tensor
    }
}

/// A parameter as a plan declares it.
public struct ParameterDeclaration: Hashable, Sendable {
    /// Which parameter.
    public let key: ParameterKey
    /// How it is used.
    public let layout: ParameterLayout
    /// Its shape.
    public let shape: Shape
}

extension Plan {
    /// The parameters that the plan uses, in the order of their declaration.
    public var parameters: [ParameterDeclaration] {
        storages.compactMap { storage in
            guard case .parameter(let key, let layout) = storage.role else { return nil }
            return ParameterDeclaration(key: key, layout: layout, shape: storage.shape)
        }
    }
}
