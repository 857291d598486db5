import COpenCL

/// When one launch was enqueued and ran, in nanoseconds of the device's clock:
/// `queued` ≤ `submitted` ≤ `start` ≤ `end`.
public struct ProfiledLaunch: Sendable, Hashable {
    /// Name given when it was enqueued.
    public let label: String
    /// Name of the kernel, or of another library's routine.
    public let kernel: String
    /// Work-items along x, y, z; `nil` for another library's routine.
    public let global: SIMD3<Int>?
    /// When the host enqueued it.
    public let queued: UInt64
    /// When the host handed it to the device.
    public let submitted: UInt64
    /// When the device began with it.
    public let start: UInt64
    /// When the device was done with it.
    public let end: UInt64

    /// Seconds that the device spent on it.
    public var seconds: Double { Double(end - start) * 1e-9 }
}

/// A launch whose times are read after it has ended.
struct TimedLaunch: Sendable {
    let label: String
    let kernel: String
    let global: SIMD3<Int>?
    let event: Event
    /// Ended just before the first command of a launch that consists of several.
    let marker: Event?

    func measured() throws(OpenCLError) -> ProfiledLaunch {
        let first = marker ?? event
        let end = try event.time(CL_PROFILING_COMMAND_END)
        // A device may run the first kernel before it stamps the marker; the times stay in order all the same.
        let start =
            if let marker {
                try marker.time(CL_PROFILING_COMMAND_END)
            } else {
                try event.time(CL_PROFILING_COMMAND_START)
            }
        return ProfiledLaunch(
            label: label, kernel: kernel, global: global, queued: try first.time(CL_PROFILING_COMMAND_QUEUED),
            submitted: try first.time(CL_PROFILING_COMMAND_SUBMIT), start: min(start, end), end: end)
    }
}

/// The launches since the profile was taken last, up to a bound: each holds events of the driver, and nobody may ever ask.
struct TimedLaunches {
    private static let most = 1 << 18
    private var launches: [TimedLaunch] = []
    private var isOverfull = false

    mutating func append(_ launch: TimedLaunch) {
        if launches.count == Self.most { (launches, isOverfull) = ([], true) }
        if !isOverfull { launches.append(launch) }
    }

    /// Hands over the launches and begins anew.
    ///
    /// - Throws: `invalidArgument` if there were more than are kept.
    mutating func take() throws(OpenCLError) -> [TimedLaunch] {
        let (taken, wasOverfull) = (launches, isOverfull)
        self = TimedLaunches()
        if wasOverfull {
            throw OpenCLError.invalidArgument(
                name: "profile", expected: "at most \(Self.most) launches since it was taken last", got: "more")
        }
        return taken
    }
}

/// The completion of one command.
final class Event: Sendable {
    private let handle: Owned<EventObject>

    init(_ raw: cl_event) {
        handle = Owned(adopting: raw)
    }

    /// One of the four time stamps, in nanoseconds.
    func time(_ parameter: Int32) throws(OpenCLError) -> UInt64 {
        let raw = handle.raw
        let query = InfoQuery(call: "clGetEventProfilingInfo") {
            clGetEventProfilingInfo(raw, cl_profiling_info(parameter), $0, $1, $2)
        }
        return try query.integer(cl_ulong.self)
    }
}
