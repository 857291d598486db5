import COpenCL

/// A compiled program.
public final class Program: Sendable {
    /// Where the machine code came from.
    public enum Origin: Sendable {
        case source, diskCache
    }

    /// Names of its files.
    public let name: String
    /// Where the machine code came from.
    public let origin: Origin

    let handle: Owned<ProgramObject>
    let device: Device
    /// The identity of its context, which keeps the program and so is not kept by it.
    let owner: Int

    /// Takes the machine code from `disk` if it is there and still good, else compiles.
    ///
    /// - Throws: `invalidArgument` for a specialisation with malformed names, `buildFailed` with the compiler's log,
    ///   `callFailed` if the driver refuses.
    init(_ specialisation: Specialisation, in context: Context, disk: BinaryStore?) throws(OpenCLError) {
        try specialisation.validate()
        name = specialisation.name
        device = context.device
        owner = context.identity
        guard let disk else {
            handle = try Self.compile(specialisation, in: context)
            origin = .source
            return
        }
        let key = BinaryStore.key(
            device: device, options: Specialisation.optionText, text: specialisation.programText)
        let built = try disk.withEntry(key: key) { entry throws(OpenCLError) in
            try Self.load(specialisation, in: context, entry)
        }
        origin = built.origin
        handle = built.handle
    }

    /// Names of the kernels in the program.
    ///
    /// - Throws: `callFailed` if the driver refuses.
    public func kernelNames() throws(OpenCLError) -> [String] {
        let raw = handle.raw
        let query = InfoQuery(call: "clGetProgramInfo") {
            clGetProgramInfo(raw, cl_program_info(CL_PROGRAM_KERNEL_NAMES), $0, $1, $2)
        }
        return try query.string().split(separator: ";").map(String.init)
    }
}

// MARK: - Building

extension Program {
    private struct Built: ~Copyable {
        let handle: Owned<ProgramObject>
        let origin: Origin
    }

    /// From the entry if that is still good, else compiled and saved there.
    private static func load(
        _ specialisation: Specialisation, in context: Context, _ entry: BinaryStore.Entry
    ) throws(OpenCLError) -> Built {
        if let binary = entry.load(), let restored = restore(binary, in: context) {
            return Built(handle: restored, origin: .diskCache)
        }
        let compiled = try compile(specialisation, in: context)
        if entry.isHeld, createsKernels(compiled.raw), let binary = binary(of: compiled.raw) {
            entry.save(binary)
        }
        return Built(handle: compiled, origin: .source)
    }

    private static func compile(
        _ specialisation: Specialisation, in context: Context
    ) throws(OpenCLError) -> Owned<ProgramObject> {
        context.announceCompiling()
        let program = try Owned<ProgramObject>("clCreateProgramWithSource") { status in
            specialisation.programText.withCString { text in
                var line: UnsafePointer<CChar>? = text
                return clCreateProgramWithSource(context.handle.raw, 1, &line, nil, &status)
            }
        }
        let (name, options) = (specialisation.name, Specialisation.optionText)
        let status = build(program.raw, on: context.device)
        if status == CL_BUILD_PROGRAM_FAILURE || status == CL_COMPILE_PROGRAM_FAILURE {
            throw OpenCLError.buildFailed(
                program: name, options: options, log: log(of: program.raw, on: context.device))
        }
        try check(status, "clBuildProgram(\(name))")
        return program
    }

    /// The program from machine code; `nil` means that the driver does not take it, so that it must be compiled.
    private static func restore(_ binary: [UInt8], in context: Context) -> Owned<ProgramObject>? {
        let program = try? Owned<ProgramObject>("clCreateProgramWithBinary") { status in
            binary.withUnsafeBufferPointer { bytes in
                var device: cl_device_id? = context.device.rawHandle
                var size = bytes.count
                var start = bytes.baseAddress
                var loaded = CL_SUCCESS
                let program = clCreateProgramWithBinary(
                    context.handle.raw, 1, &device, &size, &start, &loaded, &status)
                if status == CL_SUCCESS { status = loaded }
                return program
            }
        }
        guard let program, build(program.raw, on: context.device) == CL_SUCCESS,
            createsKernels(program.raw)
        else { return nil }
        return program
    }

    /// Whether the driver creates every kernel of a program that was built. Some compile a kernel only then (ARM's): before that
    /// the binary lacks it, and a binary that no longer suits passes for good.
    private static func createsKernels(_ program: cl_program) -> Bool {
        var count: cl_uint = 0
        guard clCreateKernelsInProgram(program, 0, nil, &count) == CL_SUCCESS, count > 0 else { return false }
        var kernels = [cl_kernel?](repeating: nil, count: Int(count))
        guard clCreateKernelsInProgram(program, count, &kernels, nil) == CL_SUCCESS else { return false }
        for kernel in kernels { if let kernel { _ = Owned<KernelObject>(adopting: kernel) } }
        return true
    }

    private static func build(_ program: cl_program, on device: Device) -> cl_int {
        var raw: cl_device_id? = device.rawHandle
        return clBuildProgram(program, 1, &raw, Specialisation.optionText, nil, nil)
    }

    private static func log(of program: cl_program, on device: Device) -> String {
        let query = InfoQuery(call: "clGetProgramBuildInfo") {
            clGetProgramBuildInfo(program, device.rawHandle, cl_program_build_info(CL_PROGRAM_BUILD_LOG), $0, $1, $2)
        }
        return (try? query.string()) ?? "(the driver has no build log)"
    }

    /// The machine code; `nil` if the driver gives none.
    private static func binary(of program: cl_program) -> [UInt8]? {
        var size = 0
        let sizeStatus = clGetProgramInfo(
            program, cl_program_info(CL_PROGRAM_BINARY_SIZES), MemoryLayout<Int>.size, &size, nil)
        guard sizeStatus == CL_SUCCESS, size > 0 else { return nil }
        var binary = [UInt8](repeating: 0, count: size)
        let status = binary.withUnsafeMutableBufferPointer { bytes in
            var start = bytes.baseAddress
            return clGetProgramInfo(
                program, cl_program_info(CL_PROGRAM_BINARIES), MemoryLayout.size(ofValue: start), &start, nil)
        }
        return status == CL_SUCCESS ? binary : nil
    }
}
