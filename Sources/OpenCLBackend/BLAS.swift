import CCLBlast
import COpenCL
import OpenCLRuntime
import Synchronization

/// C = A · Bᵀ by CLBlast, row-major: A [m, k] and C [m, n] with strides, B [n, k] dense.
///
/// The only user of CLBlast. Its routines share a cache that is not safe to use from two threads before version 1.6.1,
/// so every call holds one lock.
struct BLASProduct {
    let m: Int
    let n: Int
    let k: Int
    let a: Buffer
    let aOffset: Int
    let aStride: Int
    let b: Buffer
    let c: Buffer
    let cOffset: Int
    let cStride: Int
    /// Memory that the routine uses while it runs, of ``temporaryBytes(m:n:k:aStride:cStride:on:)``.
    let temporary: Buffer?
    let label: String

    private static let lock = Mutex(())

    /// Enqueues the product.
    ///
    /// - Throws: ``OpenCLError``.
    func enqueue(on context: Context) throws(OpenCLError) {
        try Self.call("CLBlastSgemm", label, on: context) { queue, event in
            CLBlastSgemmWithTempBuffer(
                CLBlastLayoutRowMajor, CLBlastTransposeNo, CLBlastTransposeYes, m, n, k, 1, a.rawHandle, aOffset,
                aStride, b.rawHandle, 0, k, 0, c.rawHandle, cOffset, cStride, queue, event, temporary?.rawHandle)
        }
    }

    /// The bytes of temporary memory that a product of this shape wants.
    ///
    /// - Throws: ``OpenCLError``.
    static func temporaryBytes(
        m: Int, n: Int, k: Int, aStride: Int, cStride: Int, on context: Context
    ) throws(OpenCLError) -> Int {
        var bytes = 0
        var queue: cl_command_queue? = context.rawQueue
        let status = lock.withLock { _ in
            CLBlastSGemmTempBufferSize(
                CLBlastLayoutRowMajor, CLBlastTransposeNo, CLBlastTransposeYes, m, n, k, 0, aStride, 0, k, 0, cStride,
                &queue, &bytes)
        }
        try check(status, "CLBlastSGemmTempBufferSize")
        return bytes
    }

    private static func call(
        _ name: String, _ label: String, on context: Context,
        _ routine: (UnsafeMutablePointer<cl_command_queue?>, UnsafeMutablePointer<cl_event?>?) -> CLBlastStatusCode
    ) throws(OpenCLError) {
        try context.enqueueForeign(label) { queue, event throws(OpenCLError) in
            var queue: cl_command_queue? = queue
            try check(lock.withLock { _ in routine(&queue, event) }, name)
        }
    }

    private static func check(_ status: CLBlastStatusCode, _ call: String) throws(OpenCLError) {
        guard status == CLBlastSuccess else {
            throw .callFailed(call: call, code: status.rawValue, name: "CLBlast's status \(status.rawValue)")
        }
    }
}
