import ComputeCore
import Foundation

/// Why a file cannot be read or written.
public enum FileError: Error, Sendable, Equatable, CustomStringConvertible {
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

/// Whole files, read at once and written at once, and the folders that they are in.
public enum WholeFile {
    /// The bytes of the file, or all that comes out of the pipe, at `path`.
    ///
    /// - Throws: ``FileError/unreadable(path:reason:)``.
    public static func read(_ path: String) throws -> [UInt8] {
        do {
            return try [UInt8](Data(readingWholeOf: URL(fileURLWithPath: path)))
        } catch {
            throw FileError.unreadable(path: path, reason: error.localizedDescription)
        }
    }

    /// The lines of the UTF-8 text at `path`, without the spaces around them and without those that are empty.
    ///
    /// - Throws: ``FileError/unreadable(path:reason:)``.
    public static func lines(_ path: String) throws -> [String] {
        guard let text = try String(validating: read(path), as: UTF8.self) else {
            throw FileError.unreadable(path: path, reason: "not UTF-8")
        }
        return text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
    }

    /// The names of what is in the folder at `path`, sorted.
    ///
    /// - Throws: ``FileError/unreadable(path:reason:)``.
    public static func names(inFolder path: String) throws -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        } catch {
            throw FileError.unreadable(path: path, reason: error.localizedDescription)
        }
    }

    /// The names of the MIDI files in the folder at `path`, sorted.
    ///
    /// - Throws: ``FileError/unreadable(path:reason:)``.
    public static func namesOfMIDIFiles(inFolder path: String) throws -> [String] {
        try names(inFolder: path).filter(isMIDI)
    }

    /// Whether a file is a MIDI file by its name.
    public static func isMIDI(_ name: String) -> Bool {
        [".mid", ".midi"].contains(where: name.lowercased().hasSuffix)
    }

    /// Makes the folder at `path`, and those above it, where they are not there yet.
    ///
    /// - Throws: ``FileError/unwritable(path:reason:)``.
    public static func makeFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw FileError.unwritable(path: path, reason: error.localizedDescription)
        }
    }

    /// Writes to a temporary file and renames it: what stands at `path`, or where a symbolic link there leads, is whole or as
    /// it was.
    ///
    /// - Throws: ``FileError/unwritable(path:reason:)``.
    public static func write(_ bytes: [UInt8], to path: String) throws {
        do {
            try Data(bytes).writeWhole(to: URL(fileURLWithPath: path))
        } catch {
            throw FileError.unwritable(path: path, reason: error.localizedDescription)
        }
    }
}
