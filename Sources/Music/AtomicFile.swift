import Foundation

/// Why a file cannot be read or written.
public enum MusicFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file at `path` cannot be read.
    case unreadable(path: String, reason: String)
    /// The file at `path` cannot be written.
    case unwritable(path: String, reason: String)

    /// One line: the path and the system's reason.
    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
        case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
        }
    }
}

/// Whole files, read at once and written at once.
public enum AtomicFile {
    /// The bytes of the file at `path`.
    ///
    /// - Throws: ``MusicFileError/unreadable(path:reason:)``.
    public static func read(_ path: String) throws -> [UInt8] {
        do {
            return try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw MusicFileError.unreadable(path: path, reason: error.localizedDescription)
        }
    }

    /// Writes to a temporary file beside `path` and renames it: what stands at `path` is whole or as it was.
    ///
    /// - Throws: ``MusicFileError/unwritable(path:reason:)``.
    public static func write(_ bytes: [UInt8], to path: String) throws {
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw MusicFileError.unwritable(path: path, reason: error.localizedDescription)
        }
    }
}
