package import COpenCL

/// An OpenCL device and what its driver says about it.
public struct Device: Sendable {
    /// What a device is made of.
    public enum Kind: String, Sendable {
        case cpu, gpu, accelerator, other
    }

    /// Position in the ``DeviceList``; `select` takes it.
    public let index: Int
    /// Name that the driver gives.
    public let name: String
    /// Maker of the device.
    public let vendor: String
    /// Name of the OpenCL implementation.
    public let platformName: String
    /// Whether this is PoCL, which keeps a cache of binaries of its own.
    public let isPoCL: Bool
    /// Version text of the OpenCL implementation.
    public let platformVersion: String
    /// Version text of the driver.
    public let driverVersion: String
    /// What the device is made of.
    public let kind: Kind
    /// Number of compute units (cores of a CPU).
    public let computeUnits: Int
    /// Size of global memory in bytes.
    public let globalMemoryBytes: Int
    /// Largest single buffer in bytes.
    public let maxAllocationBytes: Int
    /// Local memory of one work-group in bytes.
    public let localMemoryBytes: Int
    /// Most work-items in a work-group.
    public let maxWorkGroupSize: Int
    /// Alignment in bytes that the offset of a slice of a buffer must have.
    public let baseAddressAlignBytes: Int

    private let root: RootDevice

    /// What reports and tuning files call the driver: the platform's name and the driver's version.
    public var driver: String { "\(platformName) \(driverVersion)" }

    /// The size of a work-group where a launch leaves it open; `nil` lets the driver choose.
    ///
    /// PoCL compiles a kernel anew for every size of a work-group, and would choose another for almost every global size; here
    /// there are three.
    func localSize(for global: SIMD3<Int>) -> SIMD3<Int>? {
        guard isPoCL, kind == .cpu else { return nil }
        return SIMD3(global.x.isMultiple(of: 64) ? 64 : global.x.isMultiple(of: 8) ? 8 : 1, 1, 1)
    }

    /// The device as OpenCL knows it, for libraries that take one.
    package var rawHandle: cl_device_id { root.raw }

    /// Unchecked `Sendable`, because a C pointer is not: OpenCL neither counts nor frees root devices, they live as long
    /// as the process, and asking them is allowed from any thread.
    private struct RootDevice: @unchecked Sendable {
        let raw: cl_device_id
    }
}

// MARK: - What its driver says

extension Device {
    /// - Throws: `callFailed` if the driver does not answer.
    init(_ raw: cl_device_id, of platform: cl_platform_id, index: Int) throws(OpenCLError) {
        func ofDevice(_ parameter: Int32) -> InfoQuery { .device(raw, parameter) }
        func ofPlatform(_ parameter: Int32) -> InfoQuery { .platform(platform, parameter) }
        self.index = index
        name = try ofDevice(CL_DEVICE_NAME).string()
        vendor = try ofDevice(CL_DEVICE_VENDOR).string()
        platformName = try ofPlatform(CL_PLATFORM_NAME).string()
        isPoCL = platformName == "Portable Computing Language"
        platformVersion = try ofPlatform(CL_PLATFORM_VERSION).string()
        driverVersion = try ofDevice(CL_DRIVER_VERSION).string()
        kind = Kind(try ofDevice(CL_DEVICE_TYPE).integer(cl_device_type.self))
        computeUnits = Int(try ofDevice(CL_DEVICE_MAX_COMPUTE_UNITS).integer(cl_uint.self))
        globalMemoryBytes = Int(clamping: try ofDevice(CL_DEVICE_GLOBAL_MEM_SIZE).integer(cl_ulong.self))
        maxAllocationBytes = Int(clamping: try ofDevice(CL_DEVICE_MAX_MEM_ALLOC_SIZE).integer(cl_ulong.self))
        localMemoryBytes = Int(clamping: try ofDevice(CL_DEVICE_LOCAL_MEM_SIZE).integer(cl_ulong.self))
        maxWorkGroupSize = try ofDevice(CL_DEVICE_MAX_WORK_GROUP_SIZE).integer(Int.self)
        let alignBits = try ofDevice(CL_DEVICE_MEM_BASE_ADDR_ALIGN).integer(cl_uint.self)
        baseAddressAlignBytes = max(1, Int(alignBits) / 8)
        root = RootDevice(raw: raw)
    }
}

extension Device.Kind {
    init(_ type: cl_device_type) {
        if type & cl_device_type(CL_DEVICE_TYPE_GPU) != 0 {
            self = .gpu
        } else if type & cl_device_type(CL_DEVICE_TYPE_CPU) != 0 {
            self = .cpu
        } else if type & cl_device_type(CL_DEVICE_TYPE_ACCELERATOR) != 0 {
            self = .accelerator
        } else {
            self = .other
        }
    }
}
