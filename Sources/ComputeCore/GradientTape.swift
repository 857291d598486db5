/// An operation that knows its gradients.
public protocol Differentiable: Operation {
    /// Appends what leads from the gradients of the outputs to those of the inputs and parameters; nothing if no output
    /// has a gradient.
    ///
    /// - Throws: ``ValidationError`` if the operation, as it was recorded, has no gradient.
    func recordBackward(into tape: inout GradientTape) throws(ValidationError)
}

/// An operation so cheap that a backward pass repeats it instead of keeping its output.
public protocol Recomputable: Operation {
    /// The tensor that is computed again.
    var output: Tensor { get }

    /// The same operation with another output.
    func repeated(into output: Tensor) -> Self
}

/// A plan with its backward pass behind it: reverse-mode differentiation of a list of operations.
///
/// The tape walks the plan backwards and lets every operation append its own backward operations, which name the tensors
/// that they need again; the liveness of ``MemoryPlan`` keeps exactly those. A gradient is the sum of the shares of all
/// operations that read a tensor, and it is final when the walk reaches the tensor's producer. The gradients of parameters
/// are parameters themselves, in slot ``ParameterKey/Slot/gradient``, and are added to, so that several replays accumulate.
public struct GradientTape: Sendable {
    /// The forward operations, then the backward ones.
    public private(set) var plan: Plan
    private var gradients: [Int: Gradient] = [:]
    private var pending: [CopyRows] = []
    private let recomputables: [Int: any Recomputable]
    private var recomputed: [Int: Tensor] = [:]

    /// The sum so far of one storage's gradient, and the columns that have a value.
    private struct Gradient {
        let tensor: Tensor
        var columns: [Range<Int>]
    }

    /// Differentiates a plan that ends in a ``CrossEntropy`` or ``BinaryCrossEntropy``, which is where gradients come from.
    ///
    /// - Throws: ``ValidationError`` that names the operation without a gradient.
    public init(differentiating plan: Plan) throws(ValidationError) {
        self.plan = plan
        recomputables = plan.operations.reduce(into: [:]) { known, operation in
            if let operation = operation as? any Recomputable { known[operation.output.storage] = operation }
        }
        for operation in plan.operations.reversed() {
            if let operation = operation as? any Differentiable {
                try operation.recordBackward(into: &self)
            } else if let output = operation.operands.first(where: { $0.access != .read && isWanted($0.tensor) }) {
                throw ValidationError(
                    operation: operation.name, argument: output.name, expected: "an operation with a gradient",
                    found: "one without")
            }
        }
    }

    private func isWanted(_ tensor: Tensor) -> Bool { gradients[tensor.storage] != nil }

    /// Appends a backward operation.
    ///
    /// - Throws: ``ValidationError`` as ``Plan/append(_:)`` does.
    public mutating func append(_ operation: some Operation) throws(ValidationError) {
        try plan.append(operation)
        for share in pending { try plan.append(share) }
        pending = []
    }

    /// Declares a tensor that lives inside the backward pass.
    public mutating func intermediate(_ shape: Shape) -> Tensor { plan.intermediate(shape) }
}

// MARK: - Gradients of tensors

extension GradientTape {
    /// The final gradient of columns that an operation has written; nil if nothing depends on them.
    ///
    /// - Throws: ``ValidationError`` if only some of the columns have a gradient.
    public func gradient(of view: MatrixView) throws(ValidationError) -> MatrixView? {
        guard let gradient = gradients[view.tensor.storage] else { return nil }
        let known = gradient.columns.reduce(0) { $0 + $1.clamped(to: view.columnRange).count }
        guard known == view.columns else {
            throw ValidationError(
                operation: "gradient", argument: "columns \(view.columnRange)", expected: "all of them to be used",
                found: "\(known)")
        }
        return MatrixView(tensor: try gradient.tensor.reshaped(to: view.tensor.shape), columnRange: view.columnRange)
    }

    /// The final gradient of a whole tensor; nil if nothing depends on it.
    ///
    /// - Throws: ``ValidationError`` if only some of the columns have a gradient.
    public func gradient(of tensor: Tensor) throws(ValidationError) -> Tensor? {
        try gradient(of: tensor.matrix)?.tensor
    }

    /// Where an operation puts its share of a gradient, and whether it has to add to what is there.
    ///
    /// - Throws: ``ValidationError`` if the columns overlap others that have a share already.
    public mutating func sum(for view: MatrixView) throws(ValidationError) -> (target: MatrixView, accumulates: Bool) {
        let storage = view.tensor.storage
        var gradient = gradients[storage] ?? Gradient(tensor: plan.intermediate(view.tensor.shape), columns: [])
        let target = MatrixView(
            tensor: try gradient.tensor.reshaped(to: view.tensor.shape), columnRange: view.columnRange)
        let rivals = gradient.columns.filter { $0.overlaps(view.columnRange) }
        if rivals.isEmpty {
            gradient.columns.append(view.columnRange)
            gradients[storage] = gradient
            return (target, false)
        }
        guard rivals == [view.columnRange] else {
            throw ValidationError(
                operation: "gradient", argument: "columns \(view.columnRange)",
                expected: "the columns of an earlier share",
                found: "\(rivals)")
        }
        return (target, true)
    }

    /// Where an operation that can only overwrite puts its share of a gradient; to be claimed before the operation is
    /// appended, which then adds the share to earlier ones.
    ///
    /// - Throws: ``ValidationError`` as ``sum(for:)`` does.
    public mutating func share(of view: MatrixView) throws(ValidationError) -> MatrixView {
        let (target, accumulates) = try sum(for: view)
        guard accumulates else { return target }
        let isWhole = view.columns == view.rowStride
        let share = plan.intermediate(isWhole ? view.tensor.shape : [view.rows, view.columns]).matrix
        pending.append(CopyRows(source: share, target: target, accumulates: true))
        return share
    }

    /// The same for a whole tensor.
    ///
    /// - Throws: ``ValidationError`` as ``sum(for:)`` does.
    public mutating func share(of tensor: Tensor) throws(ValidationError) -> Tensor {
        try share(of: tensor.matrix).tensor
    }

    /// Makes the final gradient of an output the share of an input that enters it unchanged, as a residual does.
    ///
    /// The output's producer has been reached, so nobody else wants its gradient and the first share takes its memory.
    ///
    /// - Throws: ``ValidationError`` as ``sum(for:)`` does.
    public mutating func pass(_ gradient: MatrixView, to input: MatrixView) throws(ValidationError) {
        let isWhole = gradient.columns == gradient.rowStride && input.columns == input.rowStride
        guard isWhole, gradients[input.tensor.storage] == nil else {
            let (target, accumulates) = try sum(for: input)
            return try append(CopyRows(source: gradient, target: target, accumulates: accumulates))
        }
        gradients[input.tensor.storage] = Gradient(tensor: gradient.tensor, columns: [input.columnRange])
    }
}

// MARK: - Values and parameters

extension GradientTape {
    /// The value that an operation read going forward; computed again where that is cheaper than keeping it.
    ///
    /// - Throws: ``ValidationError`` as ``Plan/append(_:)`` does.
    public mutating func value(of tensor: Tensor) throws(ValidationError) -> Tensor {
        guard let operation = recomputables[tensor.storage] else { return tensor }
        if let known = recomputed[tensor.storage] { return try known.reshaped(to: tensor.shape) }
        let output = plan.intermediate(operation.output.shape)
        try plan.append(operation.repeated(into: output))
        recomputed[tensor.storage] = output
        return try output.reshaped(to: tensor.shape)
    }

    /// The gradient of a parameter, which is added to.
    ///
    /// - Throws: ``ValidationError`` if the tensor is no parameter, or one that is resident rounded.
    public mutating func parameterGradient(of weight: Tensor) throws(ValidationError) -> Tensor {
        guard case .parameter(let key, let layout) = plan.storages[weight.storage].role else {
            throw ValidationError(
                operation: "gradient", argument: "weight", expected: "a parameter", found: "\(weight.shape) of the plan"
            )
        }
        guard layout != .bfloat16Matrix else {
            throw ValidationError(
                operation: "gradient", argument: "\(key)",
                expected: "a weight of layout matrix, whose bits a step can move",
                found: "one of layout \(layout)")
        }
        return plan.parameter(ParameterKey(key.name, .gradient), weight.shape, layout)
    }
}
