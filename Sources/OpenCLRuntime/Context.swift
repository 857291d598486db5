package import COpenCL
import Synchronization

/// One device with one in-order queue: commands run in the order in which they were given, each after the one before.
///
/// **Threads.** A context and all that it makes may be used from several tasks. Every call is one step: two tasks that
/// enqueue at once interleave whole commands, and who needs several commands in a row (bind a kernel and enqueue it,
/// write a parameter and launch) must be the only one to use those kernels and buffers meanwhile. Enqueuing does
/// not wait for the device, but for a write behind thousands that nobody waited for; `read`, `finish` and `takeProfile` do.
public final class Context: Sendable {
    /// The device that this context uses.
    public let device: Device
    /// Whether launches are timed.
    public let isProfiling: Bool

    let handle: Owned<ContextObject>
    let queue: Owned<QueueObject>
    let ledger: MemoryLedger
    let programs: ProgramLibrary
    private let staged = Mutex<[StagedBytes]>([])
    private let launches = Mutex(TimedLaunches())
    private let compiling: Mutex<(@Sendable () -> Void)?>

    /// Opens a device.
    ///
    /// - Parameters:
    ///   - device: The device to use.
    ///   - profiling: Whether to time launches, for `takeProfile()`; it costs a little per launch.
    ///   - memoryLimit: Bytes that may be live at once. `nil`: the environment variable `SMDIM_MEMORY_LIMIT` (bytes, or
    ///     with K, M or G behind the number), else the device's global memory.
    ///   - binaryCache: Where compiled programs are kept between runs.
    ///   - compiling: Is called once, before the first program that is not in the cache is compiled; that may take seconds.
    /// - Throws: `invalidArgument` for a limit that is not positive, `callFailed` if the driver refuses.
    public init(
        device: Device, profiling: Bool = false, memoryLimit: Int? = nil, binaryCache: BinaryCache = .automatic,
        compiling: (@Sendable () -> Void)? = nil
    ) throws(OpenCLError) {
        let ledger = try MemoryLedger(limit: memoryLimit, device: device)
        let context = try Owned<ContextObject>("clCreateContext") { status in
            var raw: cl_device_id? = device.rawHandle
            return clCreateContext(nil, 1, &raw, nil, nil, &status)
        }
        let properties = profiling ? cl_command_queue_properties(CL_QUEUE_PROFILING_ENABLE) : 0
        queue = try Owned("clCreateCommandQueue") { status in
            clCreateCommandQueue(context.raw, device.rawHandle, properties, &status)
        }
        self.device = device
        isProfiling = profiling
        handle = context
        self.ledger = ledger
        programs = ProgramLibrary(disk: binaryCache.store(for: device))
        self.compiling = Mutex(compiling)
    }

    /// Says that a program is about to be compiled, the first time.
    func announceCompiling() {
        let announce = compiling.withLock { announce in
            defer { announce = nil }
            return announce
        }
        announce?()
    }

    deinit {
        // Staged bytes may still be read by the device. A failure leaves nothing to wait for.
        _ = clFinish(queue.raw)
    }
}

// MARK: - Memory accounting

extension Context {
    /// Bytes of all live buffers.
    public var liveBytes: Int { ledger.liveBytes }
    /// Most bytes that were ever live at once.
    public var peakBytes: Int { ledger.peakBytes }
    /// Bytes that may be live at once.
    public var memoryLimit: Int { ledger.limit }

}

// MARK: - Waiting

extension Context {
    /// Sends what is enqueued to the device without waiting for it.
    ///
    /// - Throws: `callFailed` if the driver refuses.
    public func flush() throws(OpenCLError) {
        try check(clFlush(queue.raw), "clFlush")
    }

    /// Waits until the device has done everything enqueued so far.
    ///
    /// - Throws: `callFailed` if the driver refuses or a command failed.
    public func finish() throws(OpenCLError) {
        try awaiting("clFinish") { clFinish(queue.raw) }
    }

    /// Makes a call that waits for everything enqueued before it, after which the device has consumed what was staged: a
    /// finish, or a blocking read. A blocking write may return before that, when the driver has copied its bytes.
    func awaiting(_ name: String, _ call: () -> cl_int) throws(OpenCLError) {
        // Only what was staged before the wait is free after it; another task may be staging more.
        let done = staged.withLock { staged in
            let done = staged
            staged = []
            return done
        }
        let status = call()
        // A call that failed may not have waited.
        if status != CL_SUCCESS { staged.withLock { $0 += done } }
        withExtendedLifetime(done) {}
        try check(status, name)
    }

    /// Keeps a copy of `bytes` until the device has consumed it, and hands it to `enqueue`.
    func stage(
        _ bytes: UnsafeRawBufferPointer, _ enqueue: (UnsafeRawPointer) -> cl_int
    ) throws(OpenCLError) {
        let kept = try staged.withLock { staged throws(OpenCLError) in
            let copy = StagedBytes(bytes)
            try check(enqueue(copy.address), "clEnqueueWriteBuffer")
            staged.append(copy)
            return staged.count
        }
        // Who never waits for the device would otherwise keep every step's parameters.
        if kept >= Self.stagedWritesBound { try finish() }
    }

    /// Copies that are kept because the device may not have consumed them.
    package var stagedWrites: Int { staged.withLock { $0.count } }

    private static let stagedWritesBound = 4096
}

// MARK: - Launching

extension Context {
    /// Enqueues a kernel with the arguments that were bound last.
    ///
    /// - Parameters:
    ///   - kernel: A kernel of a program of this context.
    ///   - global: Work-items along x, y, z, each at least 1.
    ///   - local: Work-items of a work-group along x, y, z, each a divisor of its `global`; `nil` leaves them to
    ///     the driver, or under PoCL to ``Device``, because PoCL compiles a kernel for each size.
    ///   - label: Name in the profile; `nil` takes the kernel's.
    /// - Throws: `invalidArgument` for sizes that the device cannot run or a kernel that was never bound, `callFailed` if
    ///   the driver refuses.
    public func enqueue(
        _ kernel: Kernel, global: SIMD3<Int>, local: SIMD3<Int>? = nil, label: String? = nil
    ) throws(OpenCLError) {
        guard kernel.owner == identity else {
            throw OpenCLError.invalidArgument(name: kernel.name, expected: "a kernel of this context", got: "another's")
        }
        try kernel.checkWork(global: global, local: local)
        // Kernels that leave their groups to the driver know their place along y by global ids, which may begin anywhere.
        let rows = local == nil ? Self.mostRows : global.y
        try kernel.withBound { raw throws(OpenCLError) in
            for first in stride(from: 0, to: global.y, by: rows) {
                let part = SIMD3(global.x, min(rows, global.y - first), global.z)
                let local = local ?? device.localSize(for: part)
                try timed(label ?? kernel.name, kernel: kernel.name, global: part) { event throws(OpenCLError) in
                    let dimensions: cl_uint = global.z > 1 ? 3 : global.y > 1 ? 2 : 1
                    let status = Self.withSizes(part, local, SIMD3(0, first, 0)) { global, local, offset in
                        clEnqueueNDRangeKernel(
                            queue.raw, raw, dimensions, first == 0 ? nil : offset, global, local, 0, nil, event)
                    }
                    try check(status, "clEnqueueNDRangeKernel(\(kernel.name))")
                }
            }
        }
    }

    /// Work-items along y in one launch: in CUDA's grids, on which NVIDIA's driver runs kernels, less than 2¹⁶ groups are along
    /// y. Source: CUDA C++ Programming Guide, technical specifications per compute capability.
    private static let mostRows = 1 << 15

    private static func withSizes(
        _ global: SIMD3<Int>, _ local: SIMD3<Int>?, _ offset: SIMD3<Int>,
        _ body: (_ global: UnsafePointer<Int>, _ local: UnsafePointer<Int>?, _ offset: UnsafePointer<Int>) -> cl_int
    ) -> cl_int {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 9) { sizes in
            guard let base = sizes.baseAddress else { return CL_OUT_OF_HOST_MEMORY }
            for axis in 0..<3 {
                sizes.initializeElement(at: axis, to: global[axis])
                sizes.initializeElement(at: 3 + axis, to: local?[axis] ?? 0)
                sizes.initializeElement(at: 6 + axis, to: offset[axis])
            }
            return body(base, local == nil ? nil : UnsafePointer(base + 3), base + 6)
        }
    }

    /// Lets another library enqueue commands of its own on the queue of this context.
    ///
    /// With profiling on, the profile gets one launch from the end of what was enqueued before to the end of the event
    /// that `body` puts at the address, so that it covers all kernels of a routine that reports only its last.
    ///
    /// - Parameters:
    ///   - label: Name in the profile.
    ///   - routine: What the other library calls it.
    ///   - body: Takes the queue and where to put the last event (`nil` with profiling off).
    /// - Throws: what `body` throws; `callFailed` if the driver refuses.
    package func enqueueForeign(
        _ label: @autoclosure () -> String, routine: @autoclosure () -> String,
        _ body: (cl_command_queue, UnsafeMutablePointer<cl_event?>?) throws(OpenCLError) -> Void
    ) throws(OpenCLError) {
        var marker: Event?
        if isProfiling {
            var raw: cl_event?
            try check(clEnqueueMarkerWithWaitList(queue.raw, 0, nil, &raw), "clEnqueueMarkerWithWaitList")
            marker = raw.map(Event.init)
        }
        try timed(label(), kernel: routine(), after: marker) { event throws(OpenCLError) in try body(queue.raw, event) }
    }

    /// The queue as OpenCL knows it, for libraries that ask it something and enqueue nothing.
    package var rawQueue: cl_command_queue { queue.raw }

    /// The context as OpenCL knows it, for libraries that take one.
    package var rawHandle: cl_context { handle.raw }

    /// Tells the objects of this context from those of another.
    ///
    /// It is the address of the OpenCL context, which every program and buffer keeps, so that no other can get it.
    var identity: Int { Int(bitPattern: handle.raw) }
}

// MARK: - Profiling

extension Context {
    /// Waits for the device, then hands over the times of all launches since the last call, in the order of enqueuing;
    /// empty with profiling off.
    ///
    /// - Throws: `invalidArgument` if there were so many launches that their times were not kept, `callFailed` if a
    ///   command failed or the driver has no times.
    public func takeProfile() throws(OpenCLError) -> [ProfiledLaunch] {
        let taken = try launches.withLock { launches throws(OpenCLError) in try launches.take() }
        try finish()
        var profile: [ProfiledLaunch] = []
        profile.reserveCapacity(taken.count)
        for launch in taken { profile.append(try launch.measured()) }
        return profile
    }

    private func timed(
        _ label: @autoclosure () -> String, kernel: @autoclosure () -> String, global: SIMD3<Int>? = nil,
        after marker: Event? = nil,
        _ enqueue: (UnsafeMutablePointer<cl_event?>?) throws(OpenCLError) -> Void
    ) throws(OpenCLError) {
        guard isProfiling else { return try enqueue(nil) }
        var raw: cl_event?
        do throws(OpenCLError) { try enqueue(&raw) } catch {
            // A routine of several kernels may fail behind the one with the event.
            if let raw { _ = Event(raw) }
            throw error
        }
        guard let raw else { return }
        let launch = TimedLaunch(
            label: label(), kernel: kernel(), global: global, event: Event(raw), marker: marker)
        launches.withLock { $0.append(launch) }
    }
}
