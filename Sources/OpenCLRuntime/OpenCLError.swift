import COpenCL

/// Everything that can go wrong between the caller and an OpenCL device.
public enum OpenCLError: Error, Sendable, Equatable {
    /// The driver refused a call; `name` is the code's symbolic name.
    case callFailed(call: String, code: Int32, name: String)
    /// The driver could not compile a program; `log` cites lines of the `.cl` files.
    case buildFailed(program: String, options: String, log: String)
    /// The loader found no OpenCL implementation.
    case noPlatform
    /// There are drivers, and none has a device that can be used, for these reasons.
    case noUsableDevice([String])
    /// No device answers the request (`nil`: any device); `available` lists the devices that there are.
    case noDevice(requested: String?, available: [String])
    /// An allocation of `needed` bytes does not fit the `available` ones, out of a limit of `limit`.
    case outOfMemory(needed: Int, available: Int, limit: Int)
    /// A single buffer of `needed` bytes, more than the `largest` that the device allocates at once.
    case bufferTooLarge(needed: Int, largest: Int)
    /// A caller's value is not usable; nothing was sent to the device.
    case invalidArgument(name: String, expected: String, got: String)
}

extension OpenCLError: CustomStringConvertible {
    /// One line, except that a build failure is followed by the compiler's log.
    public var description: String {
        switch self {
        case .callFailed(let call, let code, let name):
            let hint = StatusCode.hint(for: code).map { "; \($0)" } ?? ""
            return "\(call) failed with \(name) (\(code))\(hint)"
        case .buildFailed(let program, let options, let log):
            return "building \(program) with '\(options)' failed:\n\(log)"
        case .noPlatform:
            return "no OpenCL platform found: install the driver of your GPU, or PoCL for the CPU "
                + "(apt-get install pocl-opencl-icd)"
        case .noUsableDevice(let reasons):
            return "no OpenCL device can be used; mend or replace the driver: " + reasons.joined(separator: "; ")
        case .noDevice(let requested, let available):
            let wanted = requested.map { "matches '\($0)'" } ?? "is a GPU or a CPU"
            let list = available.isEmpty ? "none" : available.joined(separator: ", ")
            return "no OpenCL device \(wanted); available: \(list)"
        case .outOfMemory(let needed, let available, let limit):
            return "device memory: \(needed) bytes needed, \(available) available of a limit of \(limit); "
                + "ask for less, or raise SMDIM_MEMORY_LIMIT if the device has more"
        case .bufferTooLarge(let needed, let largest):
            return "device memory: \(needed) bytes needed in one buffer, the device allocates at most \(largest); "
                + "ask for less"
        case .invalidArgument(let name, let expected, let got):
            return "\(name): expected \(expected), got \(got)"
        }
    }
}

/// Turns the status of an OpenCL call into an error; every status of this module passes here.
///
/// - Throws: `callFailed` unless `status` is `CL_SUCCESS`.
package func check(_ status: Int32, _ call: String) throws(OpenCLError) {
    guard status == CL_SUCCESS else {
        throw OpenCLError.callFailed(call: call, code: status, name: StatusCode.name(of: status))
    }
}
