package import COpenCL

/// Device memory, or a slice of it.
///
/// The memory is freed once, when the buffer, its slices and the kernels that are bound to them have all ended.
public final class Buffer: Sendable {
    /// Size in bytes.
    public let byteCount: Int
    /// The context that it belongs to.
    public let context: Context

    private let memory: Owned<MemoryObject>
    // After `memory`: fields end in this order, and the bytes are booked until the driver has them back.
    private let backing: Backing

    private enum Backing: ~Copyable, Sendable {
        case own(MemoryLedger.Reservation)
        case slice(of: Buffer, offset: Int)
    }

    private init(byteCount: Int, context: Context, memory: consuming Owned<MemoryObject>, backing: consuming Backing) {
        self.byteCount = byteCount
        self.context = context
        self.memory = memory
        self.backing = backing
    }

    /// The memory as OpenCL knows it, for libraries that take it; valid while the buffer lives.
    package var rawHandle: cl_mem { memory.raw }
}

// MARK: - Making buffers

extension Context {
    /// Checks that buffers of these sizes may be allocated beside what is live, all of them together. Who needs several calls
    /// this before the first, so that nothing is allocated in vain.
    ///
    /// - Throws: `outOfMemory` with the bytes of all if they pass the memory limit, `bufferTooLarge` with those of the first
    ///   that the device does not allocate at once.
    public func require(buffers: [Int]) throws(OpenCLError) {
        for bytes in buffers { try requireAllocatable(bytes) }
        try ledger.require(buffers.reduce(0, +))
    }

    /// Allocates device memory of these sizes, all of it or none, and has the driver put memory behind it at once: many do so
    /// on first use, and would fail in the middle of a run. Waits for everything enqueued before.
    ///
    /// - Throws: what ``require(buffers:)`` and ``makeBuffer(bytes:)`` throw, `callFailed` if the memory is not there.
    public func makeBuffers(bytes sizes: [Int]) throws(OpenCLError) -> [Buffer] {
        try require(buffers: sizes)
        var buffers: [Buffer] = []
        for bytes in sizes { buffers.append(try makeBuffer(bytes: bytes)) }
        if buffers.isEmpty { return [] }
        let handles: [cl_mem?] = buffers.map(\.rawHandle)
        let withoutContent = cl_mem_migration_flags(CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED)
        try check(
            clEnqueueMigrateMemObjects(queue.raw, cl_uint(handles.count), handles, withoutContent, 0, nil, nil),
            "clEnqueueMigrateMemObjects")
        try finish()
        return buffers
    }

    fileprivate func requireAllocatable(_ bytes: Int) throws(OpenCLError) {
        let largest = device.maxAllocationBytes
        guard bytes <= largest else { throw OpenCLError.bufferTooLarge(needed: bytes, largest: largest) }
    }

    /// Allocates device memory; its content is undefined.
    ///
    /// - Parameter bytes: Size, at least 1.
    /// - Throws: `invalidArgument` for an empty buffer, `outOfMemory` or `bufferTooLarge` before the driver is asked,
    ///   `callFailed` if the driver refuses.
    public func makeBuffer(bytes: Int) throws(OpenCLError) -> Buffer {
        try Buffer(bytes: bytes, context: self)
    }
}

extension Buffer {
    fileprivate convenience init(bytes: Int, context: Context) throws(OpenCLError) {
        guard bytes > 0 else {
            throw OpenCLError.invalidArgument(name: "bytes", expected: "at least 1", got: "\(bytes)")
        }
        try context.requireAllocatable(bytes)
        let reservation = try context.ledger.reserve(bytes)
        let memory = try Owned<MemoryObject>("clCreateBuffer") { status in
            clCreateBuffer(context.handle.raw, cl_mem_flags(CL_MEM_READ_WRITE), bytes, nil, &status)
        }
        self.init(byteCount: bytes, context: context, memory: memory, backing: .own(reservation))
    }

    /// A part of this buffer that kernels can take as a buffer; it shares the memory and keeps it alive.
    ///
    /// - Parameters:
    ///   - offset: First byte; from the start of the allocation a multiple of the device's `baseAddressAlignBytes`.
    ///   - bytes: Size, at least 1.
    /// - Throws: `invalidArgument` if the part is empty, not inside, or not aligned; `callFailed` if the driver refuses.
    public func slice(offset: Int, bytes: Int) throws(OpenCLError) -> Buffer {
        guard bytes > 0 else {
            throw OpenCLError.invalidArgument(name: "bytes", expected: "at least 1", got: "\(bytes)")
        }
        try checkRange(offset: offset, bytes: bytes)
        // OpenCL makes no slice of a slice, so both are slices of the allocation.
        let (whole, start) = allocation
        let alignment = context.device.baseAddressAlignBytes
        guard (start + offset).isMultiple(of: alignment) else {
            throw OpenCLError.invalidArgument(
                name: "offset", expected: "a multiple of \(alignment) from the start of the allocation",
                got: "\(start + offset)")
        }
        let memory = try Owned<MemoryObject>("clCreateSubBuffer") { status in
            var region = cl_buffer_region(origin: start + offset, size: bytes)
            return clCreateSubBuffer(
                whole.memory.raw, cl_mem_flags(CL_MEM_READ_WRITE), cl_buffer_create_type(CL_BUFFER_CREATE_TYPE_REGION),
                &region, &status)
        }
        return Buffer(
            byteCount: bytes, context: context, memory: memory, backing: .slice(of: whole, offset: start + offset))
    }

    private var allocation: (whole: Buffer, start: Int) {
        switch backing {
        case .own: (self, 0)
        case .slice(let whole, let offset): (whole, offset)
        }
    }

    /// - Throws: `invalidArgument` unless `bytes` bytes from `offset` lie inside the buffer.
    func checkRange(offset: Int, bytes: Int) throws(OpenCLError) {
        guard offset >= 0, bytes >= 0, offset <= byteCount, bytes <= byteCount - offset else {
            throw OpenCLError.invalidArgument(
                name: "range", expected: "bytes inside 0..<\(byteCount)", got: "\(bytes) bytes from \(offset)")
        }
    }
}
