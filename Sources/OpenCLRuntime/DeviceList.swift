import COpenCL
import Foundation
import Synchronization

/// The devices that can be used, and what was left aside because it cannot be.
///
/// One driver that does not work, such as that of a GPU whose kernel module is missing, takes no other driver's devices away.
public struct DeviceList: Sendable {
    /// A platform or a device that cannot be used.
    public struct Unusable: Sendable, Equatable, CustomStringConvertible {
        /// The platform's name, or the platform's and the device's.
        public let name: String
        /// What its driver answered.
        public let reason: String

        /// One line that names both.
        public var description: String { "\(name): cannot be used: \(reason)" }
    }

    /// Held while drivers are asked: PoCL (3.1) tells a second thread that asks while it starts that it has no devices.
    private static let asking = Mutex(())

    /// In the order in which the loader lists them.
    public private(set) var devices: [Device] = []
    /// What is missing among them, in the same order.
    public private(set) var unusable: [Unusable] = []

    /// Asks every driver for its devices.
    ///
    /// - Throws: `noPlatform` if no OpenCL implementation is installed, `noUsableDevice` if there are devices or drivers and
    ///   none of them can be used, `callFailed` if the loader refuses to answer.
    public init() throws(OpenCLError) {
        try Self.asking.withLock { _ throws(OpenCLError) in try askDrivers() }
        if devices.isEmpty, !unusable.isEmpty { throw OpenCLError.noUsableDevice(unusable.map(\.description)) }
    }

    private mutating func askDrivers() throws(OpenCLError) {
        for (number, platform) in try Self.platforms().enumerated() {
            let platformName = (try? InfoQuery.platform(platform, CL_PLATFORM_NAME).string()) ?? "platform \(number)"
            do throws(OpenCLError) {
                let devices = try Self.rawDevices(of: platform)
                if devices.isEmpty { unusable.append(Unusable(name: platformName, reason: Self.noDevices)) }
                for raw in devices { append(raw, of: platform, named: platformName) }
            } catch {
                unusable.append(Unusable(name: platformName, reason: "\(error)"))
            }
        }
    }

    private mutating func append(_ raw: cl_device_id, of platform: cl_platform_id, named platformName: String) {
        let reason: String
        do throws(OpenCLError) {
            if let lack = try Self.lack(of: raw) {
                reason = lack
            } else {
                return devices.append(try Device(raw, of: platform, index: devices.count))
            }
        } catch {
            reason = "\(error)"
        }
        let name = (try? InfoQuery.device(raw, CL_DEVICE_NAME).string()) ?? "a device"
        unusable.append(Unusable(name: "\(platformName), \(name)", reason: reason))
    }

    /// PoCL is silent about what it could not start with.
    private static let noDevices =
        "its driver found no devices; PoCL finds none where it cannot write its cache, see POCL_CACHE_DIR"

    /// What keeps a device from running programs that its driver compiles; nil if nothing does.
    private static func lack(of raw: cl_device_id) throws(OpenCLError) -> String? {
        func has(_ parameter: Int32) throws(OpenCLError) -> Bool {
            try InfoQuery.device(raw, parameter).integer(cl_bool.self) != CL_FALSE
        }
        if try !has(CL_DEVICE_AVAILABLE) { return "its driver says that it is not available" }
        if try !has(CL_DEVICE_COMPILER_AVAILABLE) { return "its driver has no compiler" }
        // OpenCL, a space, and the version.
        let version = try InfoQuery.device(raw, CL_DEVICE_VERSION).string()
        let isOld = ["OpenCL 1.0", "OpenCL 1.1"].contains(where: version.hasPrefix)
        return isOld ? "OpenCL 1.2 is needed, its driver has \(version)" : nil
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
}

// MARK: - Selection

extension DeviceList {
    /// The device that a user asked for.
    ///
    /// - Parameter request: `gpu` or `cpu` for the first of that kind; else an index; else a part of a name in any case,
    ///   of which the first match is taken. A number that is no index is looked for among the numbers in the names ("4090"). `nil` means
    ///   what the environment variable `SMDIM_DEVICE` says; if that is unset or empty, the first GPU, else the first CPU.
    /// - Throws: `noDevice` if nothing matches.
    public func select(_ request: String? = nil) throws(OpenCLError) -> Device {
        let variable = ProcessInfo.processInfo.environment["SMDIM_DEVICE"]
        let wanted = request ?? variable.flatMap { $0.isEmpty ? nil : $0 }
        guard let device = pick(wanted) else {
            throw OpenCLError.noDevice(requested: wanted, available: devices.map { "\($0.index): \($0.name)" })
        }
        return device
    }

    private func pick(_ wanted: String?) -> Device? {
        guard let wanted = wanted?.lowercased() else {
            return devices.first { $0.kind == .gpu } ?? devices.first { $0.kind == .cpu }
        }
        if wanted.isEmpty { return nil }
        if wanted == "gpu" || wanted == "cpu" { return devices.first { $0.kind.rawValue == wanted } }
        if let index = Int(wanted), devices.indices.contains(index) { return devices[index] }
        let isNumber = wanted.allSatisfy(\.isNumber)
        return devices.first { device in
            let name = device.name.lowercased()
            return name.ranges(of: wanted).contains { !isNumber || name.isNumber(at: $0) }
        }
    }
}

extension Device {
    /// The device that a user asked for; see ``DeviceList/select(_:)``.
    ///
    /// - Throws: `noDevice` if nothing matches, and what ``DeviceList/init()`` throws.
    public static func select(_ request: String? = nil) throws(OpenCLError) -> Device {
        try DeviceList().select(request)
    }
}

extension String {
    /// Whether a part that is all digits is a whole number of the text.
    fileprivate func isNumber(at range: Range<Index>) -> Bool {
        self[..<range.lowerBound].last?.isNumber != true && self[range.upperBound...].first?.isNumber != true
    }
}
