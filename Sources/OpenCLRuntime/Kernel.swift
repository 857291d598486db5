import COpenCL
import Synchronization

/// An argument of a kernel, with the type that the kernel declares.
public enum KernelArgument: Sendable {
    /// `__global` or `__constant` memory.
    case buffer(Buffer)
    /// `int`.
    case int32(Int32)
    /// `uint`.
    case uint32(UInt32)
    /// `float`.
    case float32(Float)
}

/// A kernel with its arguments.
///
/// They are bound once and stay for every launch; each kernel object has its own, so that a program's kernel can be made
/// several times with different arguments. Binding and launching are each one step under a lock, as OpenCL demands. Launches use what was bound last.
public final class Kernel: Sendable {
    /// Name in the program.
    public let name: String
    /// Name and type of every parameter, in order; `nil` where the driver keeps them to itself.
    let parameters: [KernelParameter?]
    /// Most work-items in a work-group of this kernel on its device.
    public let maxWorkGroupSize: Int

    /// The identity of its context.
    let owner: Int
    private let bound: Mutex<Bound>

    private struct Bound: ~Copyable, Sendable {
        let handle: Owned<KernelObject>
        /// Keeps the buffers alive; `nil` until all arguments are set.
        var arguments: [KernelArgument]?
    }

    init(_ name: String, of program: Program) throws(OpenCLError) {
        let handle = try Owned<KernelObject>("clCreateKernel(\(name))") { status in
            clCreateKernel(program.handle.raw, name, &status)
        }
        let raw = handle.raw
        let device = program.device
        let groupSize = InfoQuery(call: "clGetKernelWorkGroupInfo") {
            clGetKernelWorkGroupInfo(
                raw, device.rawHandle, cl_kernel_work_group_info(CL_KERNEL_WORK_GROUP_SIZE), $0, $1, $2)
        }
        maxWorkGroupSize = try groupSize.integer()
        let count = InfoQuery(call: "clGetKernelInfo") {
            clGetKernelInfo(raw, cl_kernel_info(CL_KERNEL_NUM_ARGS), $0, $1, $2)
        }
        parameters = (0..<(try count.integer(cl_uint.self))).map { KernelParameter(index: $0, of: raw) }
        self.name = name
        owner = program.owner
        bound = Mutex(Bound(handle: handle, arguments: nil))
    }
}

extension Program {
    /// A kernel of this program, with no arguments yet.
    ///
    /// - Throws: `invalidArgument` if the program has no kernel of that name, `callFailed` if the driver refuses.
    public func kernel(_ name: String) throws(OpenCLError) -> Kernel {
        let names = try kernelNames()
        guard names.contains(name) else {
            throw OpenCLError.invalidArgument(
                name: "kernel of \(self.name)", expected: "one of \(names.joined(separator: ", "))", got: name)
        }
        return try Kernel(name, of: self)
    }
}

// MARK: - Arguments

extension Kernel {
    /// Sets all arguments, in the order of the kernel's parameters; the kernel keeps the buffers alive.
    ///
    /// - Throws: `invalidArgument` if their number or types are not those of the kernel, or a buffer belongs to another
    ///   context; `callFailed` if the driver refuses. After an error the kernel cannot be launched until it is bound.
    public func bind(_ arguments: [KernelArgument]) throws(OpenCLError) {
        guard arguments.count == parameters.count else {
            throw OpenCLError.invalidArgument(
                name: "\(name): arguments", expected: "\(parameters.count)", got: "\(arguments.count)")
        }
        for (index, argument) in arguments.enumerated() { try checkType(argument, at: index) }
        try bound.withLock { bound throws(OpenCLError) in
            bound.arguments = nil
            for (index, argument) in arguments.enumerated() {
                let status = argument.set(cl_uint(index), of: bound.handle.raw)
                try check(status, "clSetKernelArg(\(name), \(index))")
            }
            bound.arguments = arguments
        }
    }

    private func checkType(_ argument: KernelArgument, at index: Int) throws(OpenCLError) {
        if case .buffer(let buffer) = argument, buffer.context.identity != owner {
            throw OpenCLError.invalidArgument(
                name: "\(name): argument \(index)", expected: "a buffer of the kernel's context", got: "another's")
        }
        guard let parameter = parameters[index], !parameter.accepts(argument) else { return }
        throw OpenCLError.invalidArgument(
            name: "\(name): argument \(index) (\(parameter.name))", expected: parameter.declaration,
            got: argument.typeName)
    }
}

extension KernelArgument {
    /// The type that a kernel declares for this argument.
    var typeName: String {
        switch self {
        case .buffer: "global buffer"
        case .int32: "int"
        case .uint32: "uint"
        case .float32: "float"
        }
    }

    fileprivate func set(_ index: cl_uint, of kernel: cl_kernel) -> cl_int {
        func set<Value: BitwiseCopyable>(_ value: Value) -> cl_int {
            withUnsafeBytes(of: value) { clSetKernelArg(kernel, index, $0.count, $0.baseAddress) }
        }
        return switch self {
        case .buffer(let buffer): set(buffer.rawHandle)
        case .int32(let value): set(value)
        case .uint32(let value): set(value)
        case .float32(let value): set(value)
        }
    }
}

// MARK: - Launching

extension SIMD3<Int> {
    fileprivate var text: String { "\(x) x \(y) x \(z)" }
}

extension Kernel {
    /// Whether the kernel can be launched so.
    ///
    /// - Throws: `invalidArgument` unless the device can run a work-group of `local` items and `local` divides `global`.
    public func checkWork(global: SIMD3<Int>, local: SIMD3<Int>?) throws(OpenCLError) {
        guard global.min() > 0 else {
            throw OpenCLError.invalidArgument(name: "\(name): global", expected: "at least 1 each", got: global.text)
        }
        guard let local else { return }
        guard local.min() > 0, local.max() <= maxWorkGroupSize else {
            throw OpenCLError.invalidArgument(
                name: "\(name): local", expected: "1...\(maxWorkGroupSize) each", got: local.text)
        }
        guard global % local == .zero else {
            throw OpenCLError.invalidArgument(
                name: "\(name): global", expected: "multiples of \(local.text)", got: global.text)
        }
        let (plane, overflow) = local.x.multipliedReportingOverflow(by: local.y)
        guard !overflow, plane <= maxWorkGroupSize / local.z else {
            throw OpenCLError.invalidArgument(
                name: "\(name): local", expected: "at most \(maxWorkGroupSize) work-items", got: local.text)
        }
    }

    /// Runs `body` with the kernel while nobody can bind it.
    ///
    /// - Throws: `invalidArgument` if it was never bound; what `body` throws.
    func withBound(_ body: (cl_kernel) throws(OpenCLError) -> Void) throws(OpenCLError) {
        try bound.withLock { bound throws(OpenCLError) in
            guard bound.arguments != nil else {
                throw OpenCLError.invalidArgument(name: name, expected: "bound arguments", got: "none")
            }
            try body(bound.handle.raw)
        }
    }
}
