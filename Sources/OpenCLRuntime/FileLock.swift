import Foundation

/// Runs `body` while nobody else, in this process or another, runs one at the same path, and waits for who does.
///
/// The lock is that of a file which is made for it and deleted afterwards; it ends with its process, however that ends.
///
/// - Parameter body: Told whether the lock is held: not where the file cannot be made or its file system has no locks.
func withFileLock<Result: ~Copyable, Failure>(
    at path: String, _ body: (_ isHeld: Bool) throws(Failure) -> Result
) throws(Failure) -> Result {
    let descriptor = lockedFile(at: path)
    defer {
        if let descriptor {
            // Before the lock is given back, so that nobody deletes the file of its next holder.
            unlink(path)
            close(descriptor)
        }
    }
    return try body(descriptor != nil)
}

private func lockedFile(at path: String) -> CInt? {
    while true {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        var status: CInt
        repeat { status = flock(descriptor, LOCK_EX) } while status != 0 && errno == EINTR
        var file = stat()
        if status == 0, fstat(descriptor, &file) == 0, file.st_nlink > 0 { return descriptor }
        close(descriptor)
        // Without a link it is the file of a holder who has deleted it since: the next one has another.
        guard status == 0 else { return nil }
    }
}
