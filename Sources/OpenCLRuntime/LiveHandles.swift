import Synchronization

/// How many OpenCL objects of each kind the process holds, so that a soak test can show that none leaks.
public struct LiveHandles: Sendable, Equatable {
    /// The kinds of OpenCL objects that this module owns.
    public enum Kind: String, Sendable, CaseIterable {
        case context, queue, buffer, program, kernel, event
    }

    private var counts = Dictionary(uniqueKeysWithValues: Kind.allCases.map { ($0, 0) })

    /// The objects of one kind.
    public subscript(kind: Kind) -> Int { counts[kind, default: 0] }

    /// The objects of all kinds.
    public var total: Int { counts.values.reduce(0, +) }

    /// The counts at this moment.
    public static var now: LiveHandles { state.withLock { $0 } }

    static func add(_ change: Int, _ kind: Kind) {
        state.withLock { $0.counts[kind, default: 0] += change }
    }

    private static let state = Mutex(LiveHandles())
}
