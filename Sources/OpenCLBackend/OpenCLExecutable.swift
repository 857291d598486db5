import ComputeCore
import OpenCLRuntime

/// A plan whose tensors have memory and whose kernels have arguments; a replay only enqueues.
final class OpenCLExecutable: Executable {
    let memory: MemoryPlan
    private let plan: Plan
    private let context: Context
    private let blocks: [Buffer]
    /// Kept here until the kernels are bound, which keep them, too.
    private let rotaryTables: [Buffer]
    private let storages: [Buffer?]
    private let rounded: RoundedTensors
    private let parameters: OpenCLParameters
    /// Those of each operation.
    private let commands: [[Command]]

    /// What margins hold: a NaN that no kernel computes.
    private static let margin: UInt32 = 0xFFFF_FFFF

    init(_ plan: Plan, parameters: OpenCLParameters, placement: OpenCLBackend.Placement, backend: OpenCLBackend) throws
    {
        self.plan = plan
        let memory = placement.memory
        self.memory = memory
        rounded = placement.rounded
        context = backend.context
        try context.require(buffers: memory.blocks + backend.catalog.bytesToMake(placement.rotaryTables))
        rotaryTables = try placement.rotaryTables.map { table throws(OpenCLError) in
            try backend.catalog.buffer(of: table)
        }
        let blocks = try context.makeBuffers(bytes: memory.blocks)
        if backend.isolation == .margins { for block in blocks { try block.fill(with: Self.margin) } }
        self.blocks = blocks
        func buffer(_ region: MemoryPlan.Region) throws(OpenCLError) -> Buffer {
            if backend.isolation == .buffers { return blocks[region.block] }
            return try blocks[region.block].slice(offset: region.offset, bytes: max(region.byteCount, 1))
        }
        let storages = try zip(plan.storages, memory.storages).map { storage, region -> Buffer? in
            guard case .parameter(let key, let layout) = storage.role else { return try region.map(buffer) }
            let parameter = try parameters.parameter(key)
            guard parameter.shape == storage.shape, parameter.layout == layout else {
                throw BackendError.parameterMismatch(
                    key, expected: "\(layout) \(storage.shape)", found: "\(parameter.layout) \(parameter.shape)")
            }
            return parameter.buffer
        }
        self.storages = storages
        self.parameters = parameters
        var commands: [[Command]] = []
        for (index, operation) in placement.operations.enumerated() {
            let binder = Binder(
                backend: backend, label: operation.name, storages: storages, rounded: rounded,
                scratch: try memory.scratch[index].map(buffer), norm: placement.norms.norm(after: index))
            commands.append(placement.norms.include(index) ? [] : try operation.commands(binder))
        }
        self.commands = commands
    }

    func write(_ name: String, _ values: HostTensor) throws {
        let tensor = try plan.tensor(named: name, fitting: values)
        if case .parameter(let key, _) = plan.storages[tensor.storage].role {
            return try parameters.write(key, values.floats())
        }
        guard let buffer = storages[tensor.storage] else { throw BackendError.unknownTensor(name, known: []) }
        switch values.values {
        case .float32(let floats): try buffer.enqueueWrite(floats)
        case .int32(let integers): try buffer.enqueueWrite(integers)
        }
    }

    func run() throws {
        for commands in commands { try enqueue(commands) }
        try context.flush()
    }

    func trace(_ visit: (_ operation: any Operation, _ written: [String: HostTensor]) throws -> Bool) throws {
        for (operation, commands) in zip(plan.operations, commands) {
            try enqueue(commands)
            var written: [String: HostTensor] = [:]
            for operand in operation.operands where operand.access != .read {
                written[operand.name] = try read(operand.tensor)
            }
            guard try visit(operation, written) else { return }
        }
    }

    private func enqueue(_ commands: [Command]) throws {
        for command in commands {
            switch command {
            case .launch(let launch):
                try context.enqueue(launch.kernel, global: launch.global, local: launch.local, label: launch.label)
            case .product(let product): try product.enqueue(on: context)
            case .clear(let buffer): try buffer.fill(with: Float(0))
            }
        }
    }

    func wait() throws {
        try context.finish()
    }

    func read(_ name: String) throws -> HostTensor {
        try read(plan.tensor(named: name))
    }

    private func read(_ tensor: Tensor) throws -> HostTensor {
        if case .parameter(let key, _) = plan.storages[tensor.storage].role { return try parameters.read(key) }
        guard let buffer = storages[tensor.storage] else {
            throw BackendError.unknownTensor("storage \(tensor.storage)", known: [])
        }
        let count = tensor.shape.elementCount
        if rounded.elementBytes(of: tensor) == 2 {
            return try HostTensor(tensor.shape, buffer.read(UInt16.self, count: count).map(Float.init(bfloat16Bits:)))
        }
        switch tensor.elementType {
        case .float32: return try HostTensor(tensor.shape, buffer.read(Float.self, count: count))
        case .int32: return try HostTensor(tensor.shape, buffer.read(Int32.self, count: count))
        }
    }
}

extension OpenCLExecutable: MarginCheck {
    func damagedMargins() throws -> Int {
        var damaged = 0
        for (index, block) in blocks.enumerated() {
            let words = try block.read(UInt32.self, count: block.byteCount / 4)
            var isTaken = [Bool](repeating: false, count: words.count)
            let regions = memory.storages.compactMap(\.self) + memory.scratch.joined()
            for region in regions where region.block == index {
                for word in region.offset / 4..<(region.offset + region.byteCount).roundedUp(to: 4) / 4 {
                    isTaken[word] = true
                }
            }
            damaged += zip(words, isTaken).count { $0 != Self.margin && !$1 }
        }
        return damaged
    }
}

/// An executable that can tell whether a kernel wrote outside its tensors.
public protocol MarginCheck {
    /// The number of 32-bit words between tensors that no longer hold the pattern; 0 means that no kernel strayed.
    ///
    /// - Throws: ``OpenCLError`` if the memory cannot be read.
    func damagedMargins() throws -> Int
}
