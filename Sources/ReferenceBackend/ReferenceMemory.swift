import ComputeCore

/// The values of a plan's tensors on the host.
final class ReferenceMemory {
    private enum Cell {
        case floats([Float])
        case integers([Int32])
        case parameter(ParameterKey)
    }

    private var cells: [Cell]
    private let parameters: ReferenceParameters

    /// Memory for `plan`. Intermediate tensors start as NaN, so that a value read before it is written shows.
    init(_ plan: Plan, parameters: ReferenceParameters) throws(BackendError) {
        self.parameters = parameters
        cells = []
        for storage in plan.storages {
            switch (storage.role, storage.elementType) {
            case (.parameter(let key, _), _):
                let found = try parameters.parameter(key).shape
                guard found == storage.shape else {
                    throw .parameterMismatch(key, expected: "\(storage.shape)", found: "\(found)")
                }
                cells.append(.parameter(key))
            case (.input, .float32), (.intermediate, .float32):
                cells.append(.floats([Float](repeating: .nan, count: storage.shape.elementCount)))
            case (.input, .int32), (.intermediate, .int32):
                cells.append(.integers([Int32](repeating: -1, count: storage.shape.elementCount)))
            }
        }
    }

    /// The elements of a float tensor.
    func floats(_ tensor: Tensor) throws -> [Float] {
        switch cells[tensor.storage] {
        case .floats(let values): values
        case .parameter(let key): try parameters.parameter(key).values
        case .integers:
            throw BackendError.tensorMismatch("operand", expected: "float32", found: "int32")
        }
    }

    /// The elements of an integer tensor.
    func integers(_ tensor: Tensor) throws -> [Int32] {
        guard case .integers(let values) = cells[tensor.storage] else {
            throw BackendError.tensorMismatch("operand", expected: "int32", found: "float32")
        }
        return values
    }

    /// The elements of a view, its rows one after the other.
    func floats(_ view: MatrixView) throws -> [Float] {
        let values = try floats(view.tensor)
        guard view.columns < view.rowStride else { return values }
        return (0..<view.rows).flatMap { row in
            values[row * view.rowStride + view.offset..<row * view.rowStride + view.offset + view.columns]
        }
    }

    func store(_ values: [Float], in tensor: Tensor) throws {
        if case .parameter(let key) = cells[tensor.storage] {
            try parameters.write(key, values)
        } else {
            cells[tensor.storage] = .floats(values)
        }
    }

    func store(_ values: [Int32], in tensor: Tensor) {
        cells[tensor.storage] = .integers(values)
    }

    /// Overwrites the columns of a view and leaves the others.
    func store(_ values: [Float], in view: MatrixView) throws {
        guard view.columns < view.rowStride else { return try store(values, in: view.tensor) }
        var all = try floats(view.tensor)
        for row in 0..<view.rows {
            for column in 0..<view.columns {
                all[row * view.rowStride + view.offset + column] = values[row * view.columns + column]
            }
        }
        try store(all, in: view.tensor)
    }

    /// Overwrites a view with values, or adds them to it.
    func store(_ values: [Double], in view: MatrixView, accumulates: Bool) throws {
        if accumulates {
            try store(zip(floats(view), values).map { Float(Double($0) + $1) }, in: view)
        } else {
            try store(values.map { Float($0) }, in: view)
        }
    }

    /// Adds values to a tensor.
    func add(_ values: [Double], to tensor: Tensor) throws {
        try store(zip(floats(tensor), values).map { Float(Double($0) + $1) }, in: tensor)
    }

    func store(_ values: HostTensor, in tensor: Tensor) throws {
        switch values.values {
        case .float32(let floats): try store(floats, in: tensor)
        case .int32(let integers): store(integers, in: tensor)
        }
    }

    func hostTensor(_ tensor: Tensor) throws -> HostTensor {
        switch tensor.elementType {
        case .float32: try HostTensor(tensor.shape, floats(tensor))
        case .int32: try HostTensor(tensor.shape, integers(tensor))
        }
    }
}
