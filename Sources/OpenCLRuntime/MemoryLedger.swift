import Foundation
import Synchronization

/// Counts the device bytes of one context and refuses what would pass the limit, before the driver is asked.
final class MemoryLedger: Sendable {
    /// Bytes that may be live at once.
    let limit: Int
    private let usage = Mutex(Usage())

    private struct Usage {
        var live = 0
        var peak = 0

        func require(_ bytes: Int, of limit: Int) throws(OpenCLError) {
            let available = limit - live
            guard bytes <= available else {
                throw OpenCLError.outOfMemory(needed: bytes, available: available, limit: limit)
            }
        }
    }

    /// - Parameter limit: `nil` means what the environment says, else all that `device` has.
    /// - Throws: `invalidArgument` for a limit that is not positive.
    init(limit: Int?, device: Device) throws(OpenCLError) {
        if let limit {
            guard limit > 0 else {
                throw OpenCLError.invalidArgument(name: "memoryLimit", expected: "a positive number", got: "\(limit)")
            }
            self.limit = limit
        } else if let limit = try Self.limitOfEnvironment() {
            self.limit = limit
        } else {
            self.limit = device.globalMemoryBytes
        }
    }

    var liveBytes: Int { usage.withLock(\.live) }
    var peakBytes: Int { usage.withLock(\.peak) }

    /// - Throws: `outOfMemory` if `bytes` more do not fit.
    func require(_ bytes: Int) throws(OpenCLError) {
        try usage.withLock { usage throws(OpenCLError) in try usage.require(bytes, of: limit) }
    }

    /// Books `bytes` until the reservation ends.
    ///
    /// - Throws: `outOfMemory` if they do not fit.
    func reserve(_ bytes: Int) throws(OpenCLError) -> Reservation {
        try usage.withLock { usage throws(OpenCLError) in
            try usage.require(bytes, of: limit)
            usage.live += bytes
            usage.peak = max(usage.peak, usage.live)
        }
        return Reservation(bytes: bytes, ledger: self)
    }

    /// Bytes booked with a ledger, given back when this ends.
    struct Reservation: ~Copyable, Sendable {
        let bytes: Int
        let ledger: MemoryLedger

        deinit {
            ledger.usage.withLock { $0.live -= bytes }
        }
    }
}

// MARK: - The limit that the user sets

extension MemoryLedger {
    /// The limit in the environment variable `SMDIM_MEMORY_LIMIT`: bytes, or with K, M or G in units of 1024, 1024² or
    /// 1024³; `nil` if it is unset or empty.
    ///
    /// - Throws: `invalidArgument` if the text is anything else.
    static func limitOfEnvironment() throws(OpenCLError) -> Int? {
        let variable = "SMDIM_MEMORY_LIMIT"
        guard let text = ProcessInfo.processInfo.environment[variable], let last = text.last else { return nil }
        let shifts: [Character: Int] = ["K": 10, "M": 20, "G": 30]
        let shift = shifts[Character(last.uppercased())]
        let (limit, overflow) = (Int(shift == nil ? text[...] : text.dropLast()) ?? 0)
            .multipliedReportingOverflow(by: 1 << (shift ?? 0))
        guard limit > 0, !overflow else {
            throw OpenCLError.invalidArgument(
                name: variable, expected: "a positive number of bytes with at most one of K, M, G behind it", got: text)
        }
        return limit
    }
}
