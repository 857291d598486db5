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
        let device = context.device
        let options = Specialisation.optionText
        let text = specialisation.programText
        let entry = disk.map { ($0, key: BinaryStore.key(device: device, options: options, text: text)) }
        if let (store, key) = entry, let binary = store.load(key: key),
            let restored = Self.restore(binary, options: options, in: context)
        {
            handle = restored
            origin = .diskCache
        } else {
            context.announceCompiling()
            handle = try Self.compile(text, of: specialisation.name, options: options, in: context)
            origin = .source
        }
        name = specialisation.name
        self.device = device
        owner = context.identity
        if let (store, key) = entry, origin == .source, Self.createsKernels(handle.raw),
            let binary = Self.binary(of: handle.raw)
        {
            store.save(binary, key: key)
        }
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
    private static func compile(
        _ text: String, of name: String, options: String, in context: Context
    ) throws(OpenCLError) -> Owned<ProgramObject> {
        let program = try Owned<ProgramObject>("clCreateProgramWithSource") { status in
            text.withCString { text in
                var line: UnsafePointer<CChar>? = text
                return clCreateProgramWithSource(context.handle.raw, 1, &line, nil, &status)
            }
        }
        let status = build(program.raw, options: options, on: context.device)
        if status == CL_BUILD_PROGRAM_FAILURE || status == CL_COMPILE_PROGRAM_FAILURE {
            throw OpenCLError.buildFailed(
                program: name, options: options, log: log(of: program.raw, on: context.device))
        }
        try check(status, "clBuildProgram(\(name))")
        return program
    }

    /// The program from machine code; `nil` means that the driver does not take it, so that it must be compiled.
    private static func restore(
        _ binary: [UInt8], options: String, in context: Context
    ) -> Owned<ProgramObject>? {
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
        guard let program, build(program.raw, options: options, on: context.device) == CL_SUCCESS,
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

    private static func build(_ program: cl_program, options: String, on device: Device) -> cl_int {
        var raw: cl_device_id? = device.rawHandle
        return clBuildProgram(program, 1, &raw, options, nil, nil)
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
