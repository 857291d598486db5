import ComputeCore
import OpenCLRuntime

/// An operation that this backend executes.
protocol OpenCLOperation: Operation {
    /// Type of the factors of the operation's products.
    var precision: Precision { get }

    /// The names of the operands that the operation's kernels of the vector path take or make as bfloat16 just as well.
    var roundableOperands: Set<String> { get }

    /// The bytes of each scratch buffer that the operation needs while it runs, where some of its operands are rounded.
    ///
    /// - Throws: ``OpenCLError``.
    func scratchBytes(on backend: OpenCLBackend, given rounded: RoundedTensors) throws(OpenCLError) -> [Int]

    /// The table of rotary positions that the operation's kernels read, if any.
    var rotaryTable: RotaryTable? { get }

    /// The commands that compute the outputs, bound to the buffers of one executable.
    ///
    /// - Throws: ``OpenCLError``.
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command]
}

extension OpenCLOperation {
    var precision: Precision { .float32 }

    var roundableOperands: Set<String> { [] }

    func scratchBytes(on backend: OpenCLBackend, given _: RoundedTensors) throws(OpenCLError) -> [Int] { [] }

    var rotaryTable: RotaryTable? { nil }
}

/// Something bound that a replay enqueues.
enum Command {
    /// A kernel with all its arguments.
    case launch(Launch)
    /// A matrix product by CLBlast.
    case product(BLASProduct)
    /// Zeros in every element of a float buffer.
    case clear(Buffer)
}

/// A kernel with its arguments and its grid.
struct Launch {
    let kernel: Kernel
    let global: SIMD3<Int>
    let local: SIMD3<Int>?
    let label: String
}

/// What an operation is given to bind its kernels: the buffers of its tensors, its scratch, and the kernels.
struct Binder {
    let backend: OpenCLBackend
    let label: String
    let storages: [Buffer?]
    let rounded: RoundedTensors
    let scratch: [Buffer]
    /// The norm that the operation computes along, if any.
    let norm: LayerNorm?

    var path: KernelPath { backend.path }

    /// The buffer of a tensor.
    func buffer(_ tensor: Tensor) throws(OpenCLError) -> Buffer {
        guard let buffer = storages[tensor.storage] else {
            throw .invalidArgument(name: "storage \(tensor.storage)", expected: "memory", got: "none")
        }
        return buffer
    }

    /// The argument for a tensor.
    func argument(_ tensor: Tensor) throws(OpenCLError) -> KernelArgument {
        .buffer(try buffer(tensor))
    }

    /// The three arguments of a view: buffer, element offset, row stride.
    func arguments(_ view: MatrixView) throws(OpenCLError) -> [KernelArgument] {
        [try argument(view.tensor), .int(view.offset), .int(view.rowStride)]
    }

    /// See ``OpenCLBackend/group(atMost:)``.
    func group(atMost limit: Int) -> Int { backend.group(atMost: limit) }

    /// A launch of `variant` with these arguments.
    ///
    /// - Throws: ``OpenCLError``, also if the device cannot run a work-group of `local` items.
    func launch(
        _ variant: KernelVariant, global: SIMD3<Int>, local: SIMD3<Int>? = nil, _ arguments: [KernelArgument]
    ) throws(OpenCLError) -> Command {
        let kernel = try backend.catalog.kernel(variant)
        try kernel.bind(arguments)
        try kernel.checkWork(global: global, local: local)
        return .launch(Launch(kernel: kernel, global: global, local: local, label: label))
    }
}

extension OpenCLBackend {
    /// Work-items that share a row or an array: on the group path the largest power of two up to `limit` that the device's
    /// work-groups hold, for they add up in trees; elsewhere one.
    func group(atMost limit: Int) -> Int {
        guard path == .group else { return 1 }
        let most = max(1, min(limit, context.device.maxWorkGroupSize))
        return 1 << (Int.bitWidth - 1 - most.leadingZeroBitCount)
    }
}

extension KernelArgument {
    /// A size or a stride, which kernels take as 32-bit integers: none is larger than a tensor, and those of a plan that is
    /// compiled have no more elements than such an integer counts; see ``OpenCLBackend/operations(of:)``.
    static func int(_ value: Int) -> KernelArgument { .int32(Int32(truncatingIfNeeded: value)) }
}
