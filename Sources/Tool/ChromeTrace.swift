import Foundation
import Music
import OpenCLRuntime

/// Launches in the JSON that Chrome's tracing page and Perfetto open; times in microseconds.
struct ChromeTrace: Encodable {
    struct Event: Encodable {
        let name: String
        let ph = "X"
        let ts: Double
        let dur: Double
        let pid = 1
        let tid: Int
        var args: Arguments?
    }

    /// What a launch ran: the kernel and its work-items along x, y, z, or another library's routine.
    struct Arguments: Encodable {
        let kernel: String
        let global: [Int]?
    }

    let traceEvents: [Event]

    /// Two rows: what the device did, and how long each launch waited for it.
    init(_ launches: [ProfiledLaunch]) {
        let origin = launches.map(\.queued).min() ?? 0
        func microseconds(_ from: UInt64, _ to: UInt64) -> Double { Double(to - from) * 1e-3 }
        traceEvents = launches.flatMap { launch in
            [
                Event(
                    name: launch.label, ts: microseconds(origin, launch.start),
                    dur: microseconds(launch.start, launch.end), tid: 1,
                    args: Arguments(
                        kernel: launch.kernel, global: launch.global.map { [$0.x, $0.y, $0.z] })),
                Event(
                    name: "\(launch.label) queued", ts: microseconds(origin, launch.queued),
                    dur: microseconds(launch.queued, launch.start), tid: 2),
            ]
        }
    }

    /// Writes the trace; the file appears whole or not at all.
    func write(to path: String) throws {
        try WholeFile.write([UInt8](JSONEncoder().encode(self)), to: path)
    }
}
