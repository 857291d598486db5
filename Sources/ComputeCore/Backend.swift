/// A device that can keep parameters and execute plans.
public protocol Backend: Sendable {
    /// What every report says about where its figures come from.
    var identity: BackendIdentity { get }

    /// Takes parameters into the layout in which this backend keeps them.
    ///
    /// - Throws: an error of the backend, for example when the memory does not suffice for all of them; then none has any.
    func prepare(_ parameters: [ParameterSource]) throws -> any ParameterStore

    /// Gives `plan` memory and kernels. Afterwards a replay allocates nothing and chooses nothing.
    ///
    /// - Throws: ``BackendError``, ``ValidationError`` for a tensor with more elements than the backend counts, or an error of
    ///   the device, for example when the memory does not suffice for all of the plan; then none is taken.
    func compile(_ plan: Plan, parameters: any ParameterStore) throws -> any Executable

    /// The bytes that ``compile(_:parameters:)`` would take, without taking them.
    ///
    /// - Throws: what ``compile(_:parameters:)`` throws of a plan that it would refuse with any parameters and any memory.
    func memory(of plan: Plan) throws -> MemoryPlan

    /// The bytes that ``prepare(_:)`` would take for parameters of these declarations, without taking them.
    func memory(of parameters: [ParameterDeclaration]) -> Int
}

/// Device, driver and kernel path behind a figure.
public struct BackendIdentity: Hashable, Sendable {
    /// The device's name, or `reference`.
    public let device: String
    /// The driver and its version.
    public let driver: String
    /// Which family of kernels runs.
    public let kernelPath: String

    /// An identity.
    public init(device: String, driver: String, kernelPath: String) {
        self.device = device
        self.driver = driver
        self.kernelPath = kernelPath
    }
}

/// A parameter on its way to a backend.
public struct ParameterSource: Sendable {
    /// Which parameter.
    public let key: ParameterKey
    /// How it is used.
    public let layout: ParameterLayout
    /// Its shape.
    public let shape: Shape
    /// Its elements; zeros if nil.
    public let values: [Float]?

    /// A parameter with given values, or of zeros.
    ///
    /// - Throws: ``ValidationError`` if the number of values is not that of the shape, or that of its axes not the layout's.
    public init(
        _ key: ParameterKey, _ layout: ParameterLayout, _ shape: Shape, _ values: [Float]?
    ) throws(ValidationError) {
        if let values, shape.checkedElementCount != values.count {
            throw ValidationError(
                operation: "prepare", argument: "\(key)", expected: "as many values as \(shape) holds",
                found: "\(values.count)")
        }
        if let rank = layout.rank, shape.rank != rank {
            throw ValidationError(
                operation: "prepare", argument: "\(key)", expected: "\(rank) axes for the layout \(layout)",
                found: "\(shape)")
        }
        self.key = key
        self.layout = layout
        self.shape = shape
        self.values = values
    }

    /// A declared parameter of zeros.
    public init(zeros declaration: ParameterDeclaration) {
        (key, layout, shape) = (declaration.key, declaration.layout, declaration.shape)
        values = nil
    }
}

/// Parameters that live on a backend and are shared by the plans compiled with them.
public protocol ParameterStore: AnyObject, Sendable {
    /// Bytes of the device that the parameters hold.
    var byteCount: Int { get }
    /// The parameters that are there.
    var keys: [ParameterKey] { get }

    /// The elements of one parameter in their declared, row-major order; waits for the device.
    ///
    /// - Throws: ``BackendError/unknownParameter(_:)``, or an error of the device.
    func read(_ key: ParameterKey) throws -> HostTensor

    /// Overwrites one parameter.
    ///
    /// - Throws: ``BackendError``, ``ValidationError``, or an error of the device.
    func write(_ key: ParameterKey, _ values: [Float]) throws
}

/// A plan with memory and kernels, ready to be replayed. One task uses it at a time.
public protocol Executable: AnyObject {
    /// Bytes taken by this executable, without the parameters.
    var memory: MemoryPlan { get }

    /// Fills an input or overwrites a kept parameter. The values are copied before the call returns; the device need not have
    /// read them.
    ///
    /// - Throws: ``BackendError``, or an error of the device.
    func write(_ name: String, _ values: HostTensor) throws

    /// Enqueues the whole plan once, after everything enqueued before.
    ///
    /// - Throws: an error of the device.
    func run() throws

    /// Runs the plan once, one operation after the other, and shows what each has written; for finding where a value went
    /// wrong.
    ///
    /// - Parameter visit: Gets the operation and its written operands by argument name; tells whether to go on.
    /// - Throws: what `visit` throws, or an error of the device.
    func trace(_ visit: (_ operation: any Operation, _ written: [String: HostTensor]) throws -> Bool) throws

    /// Waits until everything enqueued is done.
    ///
    /// - Throws: an error of the device.
    func wait() throws

    /// The values of a kept tensor; waits for the device.
    ///
    /// - Throws: ``BackendError``, or an error of the device.
    func read(_ name: String) throws -> HostTensor
}

/// What a backend can refuse.
public enum BackendError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The backend does not execute this operation.
    case unsupported(operation: String, backend: String)
    /// The device has no products of this precision.
    case unsupportedPrecision(Precision, operation: String, device: String)
    /// The plan uses a parameter that was not prepared.
    case unknownParameter(ParameterKey)
    /// A prepared parameter is not what the plan declares.
    case parameterMismatch(ParameterKey, expected: String, found: String)
    /// The plan has no kept tensor or input of this name.
    case unknownTensor(String, known: [String])
    /// Values of the wrong shape or type were given for an input.
    case tensorMismatch(String, expected: String, found: String)
    /// The parameters were prepared by another backend.
    case foreignParameters

    /// One line that names the thing, what was expected and what came.
    public var description: String {
        switch self {
        case .unsupported(let operation, let backend):
            "\(operation): the \(backend) backend does not execute it"
        case .unsupportedPrecision(let precision, let operation, let device):
            "\(operation): \(device) with these kernels has no \(precision.rawValue) products, which only "
                + "the vector kernels have; use \(Precision.float32.rawValue)"
        case .unknownParameter(let key):
            "parameter \(key): the plan uses it, but it was not prepared"
        case .parameterMismatch(let key, let expected, let found):
            "parameter \(key): expected \(expected), found \(found)"
        case .unknownTensor(let name, let known):
            "tensor \(name): not in the plan, which has \(known.sorted().joined(separator: ", "))"
        case .tensorMismatch(let name, let expected, let found):
            "tensor \(name): expected \(expected), found \(found)"
        case .foreignParameters:
            "parameters: expected those prepared by a backend of this device and these kernels, found another's"
        }
    }
}
