import COpenCL

// Arrays are not handed on as a `Span`: Swift 6.3.1 in release mode then lets an array literal in the caller's loop end
// before the span of it is read (`BufferTests.manyStagedWritesArriveInOrder` sees it).
// Element types are `BitwiseCopyable`; what is read must moreover allow every bit pattern (numbers do, enums do not).

// MARK: - Host to device

extension Buffer {
    /// Copies host bytes to the device; when it returns, the device or its driver has them.
    ///
    /// - Throws: `invalidArgument` if they do not fit from `offset` (in bytes), `callFailed` if the driver refuses.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) throws(OpenCLError) {
        try checkRange(offset: offset, bytes: bytes.count)
        guard let address = bytes.baseAddress, !bytes.isEmpty else { return }
        try check(
            clEnqueueWriteBuffer(
                context.queue.raw, rawHandle, cl_bool(CL_TRUE), offset, bytes.count, address, 0, nil, nil),
            "clEnqueueWriteBuffer")
    }

    /// Copies host elements to the device; when it returns, the device or its driver has them.
    ///
    /// - Throws: `invalidArgument` if they do not fit from `offset` (in bytes), `callFailed` if the driver refuses.
    public func write<Element: BitwiseCopyable>(_ elements: [Element], at offset: Int = 0) throws(OpenCLError) {
        try elements.withUnsafeBufferPointer { elements throws(OpenCLError) in
            try write(UnsafeRawBufferPointer(elements), at: offset)
        }
    }

    /// Enqueues a write of a few elements, such as the parameters of a step, without waiting for the device; the context
    /// keeps a copy of them until it is next waited for.
    ///
    /// - Throws: `invalidArgument` if they do not fit from `offset` (in bytes), `callFailed` if the driver refuses.
    public func enqueueWrite<Element: BitwiseCopyable>(_ elements: [Element], at offset: Int = 0) throws(OpenCLError) {
        try elements.withUnsafeBufferPointer { elements throws(OpenCLError) in
            let bytes = UnsafeRawBufferPointer(elements)
            try checkRange(offset: offset, bytes: bytes.count)
            if bytes.isEmpty { return }
            try context.stage(bytes) { address in
                clEnqueueWriteBuffer(
                    context.queue.raw, rawHandle, cl_bool(CL_FALSE), offset, bytes.count, address, 0, nil, nil)
            }
        }
    }
}

/// Host bytes that stay where they are until the device has read them.
///
/// Unchecked `Sendable`, because a pointer is not: the bytes never change and only the owner frees them.
final class StagedBytes: @unchecked Sendable {
    let address: UnsafeRawPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        let copy = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 16)
        UnsafeMutableRawBufferPointer(start: copy, count: bytes.count).copyMemory(from: bytes)
        address = UnsafeRawPointer(copy)
    }

    deinit {
        address.deallocate()
    }
}

// MARK: - Device to host

extension Buffer {
    /// Waits for all earlier commands and copies device bytes into host memory.
    ///
    /// - Throws: `invalidArgument` if the buffer has fewer bytes from `offset`, `callFailed` if the driver refuses or an
    ///   earlier command failed.
    public func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int = 0) throws(OpenCLError) {
        try checkRange(offset: offset, bytes: bytes.count)
        guard let address = bytes.baseAddress, !bytes.isEmpty else { return }
        try context.awaiting("clEnqueueReadBuffer") {
            clEnqueueReadBuffer(
                context.queue.raw, rawHandle, cl_bool(CL_TRUE), offset, bytes.count, address, 0, nil, nil)
        }
    }

    /// Waits for all earlier commands and copies `count` elements to the host.
    ///
    /// - Throws: `invalidArgument` if the buffer has fewer from `offset` (in bytes), `callFailed` if the driver refuses or
    ///   an earlier command failed.
    public func read<Element: BitwiseCopyable>(
        _: Element.Type = Element.self, count: Int, at offset: Int = 0
    ) throws(OpenCLError) -> [Element] {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        try checkRange(offset: offset, bytes: overflow ? .max : bytes)
        var failure: OpenCLError?
        let elements = [Element](unsafeUninitializedCapacity: count) { destination, initialized in
            do throws(OpenCLError) {
                try read(into: UnsafeMutableRawBufferPointer(destination), at: offset)
                initialized = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return elements
    }
}

// MARK: - On the device

extension Buffer {
    /// Enqueues filling a part of the buffer with copies of `pattern`, without waiting.
    ///
    /// - Parameters:
    ///   - pattern: One element of 1, 2, 4, 8, 16, 32, 64 or 128 bytes.
    ///   - offset: First byte, a multiple of the element's size.
    ///   - bytes: Size of the part, a multiple of the element's size; `nil`: up to the end.
    /// - Throws: `invalidArgument` for sizes that are not so or a part that is not inside; `callFailed` if the driver
    ///   refuses.
    public func fill<Element: BitwiseCopyable>(
        with pattern: Element, at offset: Int = 0, bytes: Int? = nil
    ) throws(OpenCLError) {
        let bytes = bytes ?? byteCount - offset
        try checkRange(offset: offset, bytes: bytes)
        let size = MemoryLayout<Element>.size
        guard size > 0, size <= 128, size.nonzeroBitCount == 1 else {
            throw OpenCLError.invalidArgument(
                name: "pattern", expected: "a power of two of bytes up to 128", got: "\(size)")
        }
        guard offset.isMultiple(of: size), bytes.isMultiple(of: size) else {
            throw OpenCLError.invalidArgument(
                name: "range", expected: "multiples of \(size) bytes", got: "\(bytes) bytes from \(offset)")
        }
        if bytes == 0 { return }
        let status = withUnsafeBytes(of: pattern) { pattern in
            clEnqueueFillBuffer(
                context.queue.raw, rawHandle, pattern.baseAddress, size, offset, bytes, 0, nil, nil)
        }
        try check(status, "clEnqueueFillBuffer")
    }
}
