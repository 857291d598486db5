import ComputeCore

/// The tensors of a plan that the kernel which makes them stores rounded to bfloat16, because products of bfloat16 factors read
/// them and nothing else does; and the weights that are resident rounded, because their layout says so. They are halves in
/// the tensor's own order and pairs in panels, or floats for products of widened factors. A product whose factor is not among
/// them rounds it in a pass of its own first; the bits are the same.
///
/// This is where that is decided: a tensor is rounded if every operand that touches it is one of its operation's
/// ``OpenCLOperation/roundableOperands``, its rows are even, so that they are the pairs which products may take, and the
/// host does not see it.
struct RoundedTensors {
    /// Numbers of the plan's intermediate storages.
    private let storages: Set<Int>
    /// Numbers of the weights that are resident rounded.
    private let weights: Set<Int>

    /// Bytes of an element of a rounded tensor: 2 for halves, 4 for floats.
    private let elementBytes: Int

    init(_ plan: Plan, _ operations: [any OpenCLOperation], on backend: OpenCLBackend) {
        elementBytes = backend.takesPairs(.bfloat16) ? 2 : 4
        guard backend.path == .vector else {
            (storages, weights) = ([], [])
            return
        }
        weights = Set(
            plan.storages.indices.filter { index in
                if case .parameter(_, .bfloat16Matrix) = plan.storages[index].role { true } else { false }
            })
        let read = operations.flatMap(\.operands).filter { $0.access != .write }.map(\.tensor.storage)
        var storages = Set(read.filter { plan.storages[$0].role == .intermediate })
        storages.subtract(plan.kept.values.map(\.storage))
        for operation in operations {
            let roundable = operation.roundableOperands
            for operand in operation.operands {
                let fits = roundable.contains(operand.name) && operand.tensor.shape[-1].isMultiple(of: 2)
                if !fits { storages.remove(operand.tensor.storage) }
            }
        }
        self.storages = storages
    }

    /// The storages whose elements take half of their declared bytes.
    var halved: Set<Int> { elementBytes == 2 ? storages : [] }

    /// Bytes of an element of the tensor if it is rounded; nil if it is not.
    func elementBytes(of tensor: Tensor) -> Int? { contains(tensor) ? elementBytes : nil }

    func contains(_ tensor: Tensor) -> Bool {
        storages.contains(tensor.storage) || weights.contains(tensor.storage)
    }
}
