import Foundation
import Synchronization

/// How far apart two of the processor's cores are.
enum CoreDistance {
    /// Sends a cache line from one thread to another and back so many times. Both spin meanwhile, so it
    /// wants two processors: on one they would take turns by the scheduler's clock.
    ///
    /// Between cores that share a cache one way takes some 50 ns, between chiplets 200, and a hypervisor moves a virtual machine's
    /// cores from the one to the other: whatever a core reads that another has written then takes twice as long.
    static func exchange(times: Int) {
        let line = Line()
        Thread {
            for i in 0..<times { line.pass(at: 2 * i + 1) }
        }.start()
        for i in 0..<times { line.pass(at: 2 * i) }
        line.wait(for: 2 * times)
    }

    private final class Line: Sendable {
        private let passes = Atomic(0)

        func wait(for count: Int) {
            while passes.load(ordering: .acquiring) != count {}
        }

        /// Waits until the line was passed so often, and passes it on.
        func pass(at count: Int) {
            wait(for: count)
            passes.store(count + 1, ordering: .releasing)
        }
    }
}
