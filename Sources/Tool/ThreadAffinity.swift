import CProcessor
import Foundation

/// On which processors PoCL's threads run.
enum ThreadAffinity {
    /// Keeps each of them on a processor of its own, unless the environment has an opinion. PoCL reads it with its first call.
    ///
    /// After a rest Linux wakes two of them on one processor as often as not, and may leave them there for a quarter of a
    /// second: whatever is shorter takes twice as long (6.18, two processors). PoCL takes the first processors, so this is right
    /// only where it has a thread for every one: else it would leave a set that somebody chose for this process, or
    /// share its processors with the next one. Foundation's `activeProcessorCount` counts all that are online.
    static func pinThreads() {
        let processors = ProcessInfo.processInfo.processorCount
        let threads = ProcessInfo.processInfo.environment["POCL_MAX_PTHREAD_COUNT"].flatMap { Int($0) } ?? processors
        guard threads == processors, cprocessor_usable_count() == processors else { return }
        setenv("POCL_AFFINITY", "1", 0)
    }
}
