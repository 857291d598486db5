package import COpenCL
import Foundation

/// An OpenCL device and what its driver says about it.
public struct Device: Sendable {
    /// What a device is made of.
    public enum Kind: String, Sendable {
        case cpu, gpu, accelerator, other
    }

    /// Position among all devices of all platforms; `select` takes it.
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
    /// Names of the supported extensions.
    public let extensions: Set<String>

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

// MARK: - Enumeration

extension Device {
    /// All devices of all platforms, in the order in which the loader lists them.
    ///
    /// - Throws: `noPlatform` if no OpenCL implementation is installed, `callFailed` if a driver refuses to answer.
    public static func all() throws(OpenCLError) -> [Device] {
        var devices: [Device] = []
        for platform in try platforms() {
            for raw in try rawDevices(of: platform) {
                devices.append(try Device(raw, of: platform, index: devices.count))
            }
        }
        return devices
    }

    private static func platforms() throws(OpenCLError) -> [cl_platform_id] {
        /// `CL_PLATFORM_NOT_FOUND_KHR` of cl_icd.h: how the loader, which is no driver, says that it found none.
        let platformNotFound: cl_int = -1001
        var count: cl_uint = 0
        let status = clGetPlatformIDs(0, nil, &count)
        if status == platformNotFound || (status == CL_SUCCESS && count == 0) { throw OpenCLError.noPlatform }
        try check(status, "clGetPlatformIDs")
        var platforms = [cl_platform_id?](repeating: nil, count: Int(count))
        try check(clGetPlatformIDs(count, &platforms, nil), "clGetPlatformIDs")
        return platforms.compactMap(\.self)
    }

    private static func rawDevices(of platform: cl_platform_id) throws(OpenCLError) -> [cl_device_id] {
        let all = cl_device_type(CL_DEVICE_TYPE_ALL)
        var count: cl_uint = 0
        let status = clGetDeviceIDs(platform, all, 0, nil, &count)
        if status == CL_DEVICE_NOT_FOUND || (status == CL_SUCCESS && count == 0) { return [] }
        try check(status, "clGetDeviceIDs")
        var devices = [cl_device_id?](repeating: nil, count: Int(count))
        try check(clGetDeviceIDs(platform, all, count, &devices, nil), "clGetDeviceIDs")
        return devices.compactMap(\.self)
    }

    private init(_ raw: cl_device_id, of platform: cl_platform_id, index: Int) throws(OpenCLError) {
        func ofDevice(_ parameter: Int32) -> InfoQuery {
            InfoQuery(call: "clGetDeviceInfo") { clGetDeviceInfo(raw, cl_device_info(parameter), $0, $1, $2) }
        }
        func ofPlatform(_ parameter: Int32) -> InfoQuery {
            InfoQuery(call: "clGetPlatformInfo") {
                clGetPlatformInfo(platform, cl_platform_info(parameter), $0, $1, $2)
            }
        }
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
        extensions = Set(try ofDevice(CL_DEVICE_EXTENSIONS).string().split(separator: " ").map(String.init))
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

// MARK: - Selection

extension Device {
    /// The device that a user asked for.
    ///
    /// - Parameter request: `gpu` or `cpu` for the first of that kind; else an index; else a part of a name in any case,
    ///   of which the first match is taken. A number that is no index is looked for in the names ("4090"). `nil` means
    ///   what the environment variable `SMDIM_DEVICE` says; if that is unset or empty, the first GPU, else the first CPU.
    /// - Throws: `noDevice` if nothing matches, and what `all()` throws.
    public static func select(_ request: String? = nil) throws(OpenCLError) -> Device {
        let variable = ProcessInfo.processInfo.environment["SMDIM_DEVICE"]
        let wanted = request ?? variable.flatMap { $0.isEmpty ? nil : $0 }
        let devices = try all()
        guard let device = pick(wanted, from: devices) else {
            throw OpenCLError.noDevice(requested: wanted, available: devices.map { "\($0.index): \($0.name)" })
        }
        return device
    }

    private static func pick(_ wanted: String?, from devices: [Device]) -> Device? {
        guard let wanted = wanted?.lowercased() else {
            return devices.first { $0.kind == .gpu } ?? devices.first { $0.kind == .cpu }
        }
        if wanted.isEmpty { return nil }
        if wanted == "gpu" || wanted == "cpu" { return devices.first { $0.kind.rawValue == wanted } }
        if let index = Int(wanted), devices.indices.contains(index) { return devices[index] }
        return devices.first { $0.name.lowercased().contains(wanted) }
    }
}
