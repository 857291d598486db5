import COpenCL

/// A kind of OpenCL object: how it is counted and how it is released.
protocol HandleKind {
    static var kind: LiveHandles.Kind { get }
    static func release(_ raw: OpaquePointer) -> cl_int
}

/// The only owner of one reference to an OpenCL object; the reference is released exactly once, when the owner ends.
///
/// Unchecked `Sendable`, because a C pointer is not: the pointer never changes, and OpenCL allows every call from any
/// thread (specification 1.2, appendix A.2) except those that change a `cl_kernel`, which `Kernel` guards with a lock.
struct Owned<Kind: HandleKind>: ~Copyable, @unchecked Sendable {
    let raw: OpaquePointer

    init(adopting raw: OpaquePointer) {
        self.raw = raw
        LiveHandles.add(1, Kind.kind)
    }

    /// Adopts what a creating call returns, which reports its status through an argument.
    ///
    /// - Throws: `callFailed` if the call reports anything but success.
    init(_ call: String, _ create: (inout cl_int) -> OpaquePointer?) throws(OpenCLError) {
        var status = CL_SUCCESS
        let created = create(&status)
        // A binary that was refused may have left a program all the same.
        if let created, status != CL_SUCCESS { _ = Kind.release(created) }
        try check(status, call)
        guard let created else {
            throw OpenCLError.callFailed(call: call, code: status, name: "success and yet no object")
        }
        self.init(adopting: created)
    }

    deinit {
        let status = Kind.release(raw)
        assert(status == CL_SUCCESS, "releasing a \(Kind.kind) failed with \(StatusCode.name(of: status))")
        LiveHandles.add(-1, Kind.kind)
    }
}

enum ContextObject: HandleKind {
    static let kind = LiveHandles.Kind.context
    static func release(_ raw: OpaquePointer) -> cl_int { clReleaseContext(raw) }
}

enum QueueObject: HandleKind {
    static let kind = LiveHandles.Kind.queue
    static func release(_ raw: OpaquePointer) -> cl_int { clReleaseCommandQueue(raw) }
}

enum MemoryObject: HandleKind {
    static let kind = LiveHandles.Kind.buffer
    static func release(_ raw: OpaquePointer) -> cl_int { clReleaseMemObject(raw) }
}

enum ProgramObject: HandleKind {
    static let kind = LiveHandles.Kind.program
    static func release(_ raw: OpaquePointer) -> cl_int { clReleaseProgram(raw) }
}

enum KernelObject: HandleKind {
    static let kind = LiveHandles.Kind.kernel
    static func release(_ raw: OpaquePointer) -> cl_int { clReleaseKernel(raw) }
}

enum EventObject: HandleKind {
    static let kind = LiveHandles.Kind.event
    static func release(_ raw: OpaquePointer) -> cl_int { clReleaseEvent(raw) }
}
