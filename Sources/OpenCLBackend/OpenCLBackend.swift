public import ComputeCore
public import OpenCLRuntime

/// The backend that executes plans with hand-written kernels on an OpenCL device.
///
/// Sendable: what it holds is shared safely; an ``Executable`` made by it belongs to one task at a time.
public final class OpenCLBackend: Backend {
    /// The device, its queue and its memory.
    public let context: Context
    /// The family of kernels that is used.
    public let path: KernelPath
    /// How executables keep their tensors apart.
    public let isolation: Isolation
    /// The measured choices that are used.
    public let tuning: Tuning
    /// How factors of bfloat16 are multiplied; nil where they are not: on the other paths.
    public let bfloat16: BFloat16Products?
    let catalog: KernelCatalog

    /// A backend on an open device.
    ///
    /// - Parameters:
    ///   - path: The family of kernels; if nil the one that was measured to be the fastest, else the one that suits the
    ///     device.
    ///   - tuning: What was measured on the device.
    ///   - bfloat16: How the vector path multiplies factors of bfloat16; if nil the first that is
    ///     ``BFloat16Products/available(on:)``, and with one that the device has not, plans of such products are refused.
    public init(
        _ context: Context, path: KernelPath? = nil, tuning: Tuning = .none, isolation: Isolation = .none,
        bfloat16: BFloat16Products? = nil
    ) {
        self.context = context
        self.path = path ?? tuning.path ?? KernelPath(for: context.device)
        self.tuning = tuning
        self.isolation = isolation
        let wanted = self.path == .vector ? bfloat16 ?? BFloat16Products.available(on: context.device).first : nil
        self.bfloat16 = wanted.flatMap { $0.isAvailable(on: context.device) ? $0 : nil }
        catalog = KernelCatalog(context)
    }

    public var identity: BackendIdentity {
        let origin = tuning.origin.map { ", tuned by \($0)" } ?? ""
        return BackendIdentity(
            device: context.device.name, driver: context.device.driver,
            kernelPath: path.rawValue + (bfloat16?.pathSuffix ?? "") + origin)
    }

    public func prepare(_ parameters: [ParameterSource]) throws -> any ParameterStore {
        try OpenCLParameters(parameters, backend: self)
    }

    public func compile(_ plan: Plan, parameters: any ParameterStore) throws -> any Executable {
        guard let parameters = parameters as? OpenCLParameters, parameters.suit(self) else {
            throw BackendError.foreignParameters
        }
        return try OpenCLExecutable(plan, parameters: parameters, placement: placement(of: plan), backend: self)
    }

    public func memory(of plan: Plan) throws -> MemoryPlan { try placement(of: plan).memory }

    /// A plan's operations, their tables, which of its tensors are rounded, which norms are computed along, and where all
    /// tensors lie.
    struct Placement {
        let operations: [any OpenCLOperation]
        let rotaryTables: Set<RotaryTable>
        let rounded: RoundedTensors
        let norms: NormEpilogues
        let memory: MemoryPlan
    }

    private func placement(of plan: Plan) throws -> Placement {
        if path == .group { try BLASProduct.use(tuning.clblast, on: context.device) }
        let operations = try operations(of: plan)
        let rotaryTables = Set(operations.compactMap(\.rotaryTable))
        let rounded = RoundedTensors(plan, operations, on: self)
        let norms = NormEpilogues(operations, on: self)
        let constraints =
            isolation == .buffers
            ? MemoryPlan.Constraints(alignment: 4, maximumBlockBytes: 0)
            : MemoryPlan.Constraints(
                alignment: max(128, context.device.baseAddressAlignBytes),
                maximumBlockBytes: context.device.maxAllocationBytes, margin: isolation == .margins ? 256 : 0)
        let memory = MemoryPlan(
            plan, halved: rounded.halved, writers: norms.writers,
            scratchBytes: try operations.map { try $0.scratchBytes(on: self, given: rounded) },
            sharedBytes: rotaryTables.reduce(0) { $0 + $1.byteCount }, constraints: constraints)
        return Placement(
            operations: operations, rotaryTables: rotaryTables, rounded: rounded, norms: norms, memory: memory)
    }

    public func memory(of parameters: [ParameterDeclaration]) -> Int {
        parameters.reduce(0) { $0 + packing($1.layout, $1.shape).byteCount }
    }

    /// How a parameter is resident.
    func packing(_ layout: ParameterLayout, _ shape: Shape) -> ParameterPacking {
        ParameterPacking(layout, shape, path: path, pairs: takesPairs(.bfloat16))
    }

    /// Whether the device and the kernels have products of this precision.
    public func supports(_ precision: Precision) -> Bool {
        precision == .float32 || bfloat16 != nil
    }

    /// Whether products of this precision take pairs of bfloat16; all others take floats.
    func takesPairs(_ precision: Precision) -> Bool {
        precision == .bfloat16 && (bfloat16 == .amx || bfloat16 == .pairs)
    }

    /// The depth of a product of K terms as its kernel counts it: pairs or floats.
    func depth(_ precision: Precision, _ k: Int) -> Int {
        takesPairs(precision) ? k.dividedRoundingUp(by: 2) : k
    }

    /// The bytes of a factor's rows of K terms.
    func factorBytes(_ precision: Precision, rows: Int, k: Int) -> Int { 4 * rows * depth(precision, k) }

    /// Whether a product of this depth goes through the matrix tiles: 32 terms at a time, which are not worth filling up.
    func takesTiles(_ precision: Precision, depth: Int) -> Bool {
        precision == .bfloat16 && bfloat16 == .amx && depth.isMultiple(of: 32)
    }

    /// What a work-item of the vector path's product computes of C at a time.
    func productTile(_ precision: Precision, depth: Int) -> ProductTile {
        takesTiles(precision, depth: depth) ? .amx : .registers
    }

    /// The operations of a plan, if there are kernels for all of them.
    private func operations(of plan: Plan) throws -> [any OpenCLOperation] {
        try plan.operations.map { operation in
            guard let operation = operation as? any OpenCLOperation else {
                throw BackendError.unsupported(operation: operation.name, backend: "OpenCL")
            }
            guard supports(operation.precision) else {
                throw BackendError.unsupportedPrecision(
                    operation.precision, operation: operation.name, device: identity.device)
            }
            for operand in operation.operands { try checkCount(of: operand, in: plan, operation.name) }
            return operation
        }
    }

    /// Kernels count elements with 32-bit integers, and their loops step past the last one.
    private static let mostElements = Int(Int32.max) - 0xFFFF

    /// - Throws: ``ValidationError`` for a tensor with more elements, those that pad a resident parameter included.
    private func checkCount(of operand: Operand, in plan: Plan, _ operation: String) throws(ValidationError) {
        let storage = plan.storages[operand.tensor.storage]
        var count = storage.shape.checkedElementCount ?? .max
        if count <= Self.mostElements, case .parameter(_, let layout) = storage.role {
            count = max(count, packing(layout, storage.shape).byteCount / 4)
        }
        guard count <= Self.mostElements else {
            throw ValidationError(
                operation: operation, argument: operand.name,
                expected: "at most \(Self.mostElements) elements, as many as the kernels count",
                found: "\(count) for \(storage.shape)")
        }
    }
}

extension OpenCLBackend {
    /// Releases the OpenCL programs that CLBlast keeps for the whole process; the next product by CLBlast, on any backend,
    /// builds them again.
    ///
    /// A process should call this before it ends: CLBlast's own destructors come so late that a driver may have freed what
    /// they touch (Oclgrind has, and the heap is damaged then).
    public static func releaseProcessPrograms() {
        BLASProduct.releasePrograms()
    }
}
