import CCLBlast
import COpenCL
import Foundation
import OpenCLRuntime
import Synchronization

/// C = op(A) · op(B), or C += …, by CLBlast, row-major: op(A) [m, k], op(B) [k, n] and C [m, n].
///
/// The only user of CLBlast. Its routines share a cache that is not safe to use from two threads before version 1.6.1,
/// so every call holds one lock.
struct BLASProduct {
    let m: Int
    let n: Int
    let k: Int
    let a: Factor
    let b: Factor
    let c: MatrixProduct.Matrix
    var accumulates = false
    /// Memory that the routine uses while it runs, of ``temporaryBytes(m:n:k:a:b:c:on:)``.
    let temporary: Buffer?
    let label: String

    /// A factor as it lies in memory.
    struct Factor {
        let matrix: MatrixProduct.Matrix
        var isTransposed = false
    }

    /// Where a matrix starts and how far its rows are apart: what the temporary memory depends on.
    struct Layout {
        var isOffset = false
        let stride: Int
        var isTransposed = false
    }

    private static let lock = Mutex(())

    /// Enqueues the product.
    ///
    /// - Throws: ``OpenCLError``.
    func enqueue(on context: Context) throws(OpenCLError) {
        try Self.call("CLBlastSgemm", label, on: context) { queue, event in
            CLBlastSgemmWithTempBuffer(
                CLBlastLayoutRowMajor, Self.transposition(a.isTransposed), Self.transposition(b.isTransposed), m, n, k,
                1, a.matrix.buffer.rawHandle, a.matrix.offset, a.matrix.stride, b.matrix.buffer.rawHandle,
                b.matrix.offset, b.matrix.stride, accumulates ? 1 : 0, c.buffer.rawHandle, c.offset, c.stride, queue,
                event, temporary?.rawHandle)
        }
    }

    private static func transposition(_ isTransposed: Bool) -> CLBlastTranspose {
        isTransposed ? CLBlastTransposeYes : CLBlastTransposeNo
    }

    /// The bytes of temporary memory that a product of this shape wants.
    ///
    /// - Throws: ``OpenCLError``.
    static func temporaryBytes(
        m: Int, n: Int, k: Int, a: Layout, b: Layout, c: Layout, on context: Context
    ) throws(OpenCLError) -> Int {
        var bytes = 0
        var queue: cl_command_queue? = context.rawQueue
        let status = lock.withLock { _ in
            CLBlastSGemmTempBufferSize(
                CLBlastLayoutRowMajor, transposition(a.isTransposed), transposition(b.isTransposed), m, n, k,
                a.isOffset ? 1 : 0, a.stride, b.isOffset ? 1 : 0, b.stride, c.isOffset ? 1 : 0, c.stride, &queue,
                &bytes)
        }
        try check(status, "CLBlastSGemmTempBufferSize")
        return bytes
    }

    /// What CLBlast computes with in this process, by device and kernel; empty with its own parameters, nil where it is not
    /// decided yet.
    private static let parameters = Mutex<[Int: [String: [String: Int]]]>([:])

    /// Decides with which parameters CLBlast computes in single precision on a device, by kernel and name; none: its own.
    ///
    /// CLBlast has one set for the whole process, and no way back from another to its own: clearing its cache leaves an
    /// override in force. So the first set stays for as long as the process, and executables never change each other's
    /// products. ``Tuner`` alone may replace it.
    ///
    /// - Throws: ``OpenCLError/invalidArgument(name:expected:got:)`` if the process computes with another set, or, while
    ///   `replaces`, with a kernel that `wanted` leaves alone; `callFailed` if CLBlast does not know a kernel or misses a
    ///   parameter.
    static func use(
        _ wanted: [String: [String: Int]], on device: Device, replaces: Bool = false
    ) throws(OpenCLError) {
        try parameters.withLock { parameters throws(OpenCLError) in
            let known = parameters[device.index]
            guard known != wanted else { return }
            if let known {
                guard replaces, Set(known.keys).isSubset(of: wanted.keys) else {
                    throw .invalidArgument(
                        name: "CLBlast's parameters on \(device.name)",
                        expected: "those that this process computes with already, for CLBlast has one set per process",
                        got: "others; use them in a process of their own")
                }
            }
            for (kernel, values) in wanted.sorted(by: { $0.key < $1.key }) {
                try override(kernel, values, on: device)
                parameters[device.index, default: [:]][kernel] = values
            }
            if wanted.isEmpty { parameters[device.index] = [:] }
        }
    }

    private static func override(
        _ kernel: String, _ values: [String: Int], on device: Device
    ) throws(OpenCLError) {
        let entries = values.sorted { $0.key < $1.key }
        let names = entries.map { strdup($0.key) }
        defer { for name in names { free(name) } }
        var pointers = names.map { UnsafePointer($0) }
        let sizes = entries.map(\.value)
        let status = lock.withLock { _ in
            CLBlastOverrideParameters(device.rawHandle, kernel, CLBlastPrecisionSingle, sizes.count, &pointers, sizes)
        }
        try check(status, "CLBlastOverrideParameters(\(kernel))")
    }

    private static func call(
        _ name: String, _ label: String, on context: Context,
        _ routine: (UnsafeMutablePointer<cl_command_queue?>, UnsafeMutablePointer<cl_event?>?) -> CLBlastStatusCode
    ) throws(OpenCLError) {
        try context.enqueueForeign(label, routine: name) { queue, event throws(OpenCLError) in
            var queue: cl_command_queue? = queue
            try check(lock.withLock { _ in routine(&queue, event) }, name)
        }
    }

    /// Lets go of the programs that CLBlast keeps; it builds them again when they are needed.
    static func releasePrograms() {
        lock.withLock { _ in _ = CLBlastClearCache() }
    }

    private static func check(_ status: CLBlastStatusCode, _ call: String) throws(OpenCLError) {
        guard status == CLBlastSuccess else {
            throw .callFailed(call: call, code: status.rawValue, name: "CLBlast's status \(status.rawValue)")
        }
    }
}
