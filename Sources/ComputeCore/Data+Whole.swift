package import Foundation

extension Data {
    /// The bytes of a file; of a pipe or a device, all that comes before its end.
    ///
    /// - Throws: what Foundation does where it cannot be read.
    package init(readingWholeOf url: URL) throws {
        if url.isFolder { throw POSIXError(.EISDIR) }
        if url.isSpecial {
            let handle = try FileHandle(forReadingFrom: url)
            defer { try? handle.close() }
            self = try handle.readToEnd() ?? Data()
        } else {
            self = try Data(contentsOf: url)
        }
    }

    /// Writes to a temporary file beside `url` and renames it: what stands there is whole or as it was.
    ///
    /// A symbolic link stays, and the file is written where it leads, be there one yet or none. In the end it
    /// has the mode of what it replaces. A device or a pipe is written to as it is.
    ///
    /// - Throws: what Foundation does where the file cannot be written.
    package func writeWhole(to url: URL) throws {
        if url.isFolder { throw POSIXError(.EISDIR) }
        if url.isSpecial {
            let handle = try FileHandle(forWritingTo: url)
            defer { try? handle.close() }
            return try handle.write(contentsOf: self)
        }
        let target = url.followingLinks
        let before = try? FileManager.default.attributesOfItem(atPath: target.path)
        try write(to: target, options: .atomic)
        if let mode = before?[.posixPermissions] {
            try? FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: target.path)
        }
    }
}

extension URL {
    /// Whether there is something that is neither a file nor a folder. The system follows links here, for those in /dev/fd lead
    /// to what has no path.
    package var isSpecial: Bool { kind.map { ![S_IFREG, S_IFDIR].contains($0) } ?? false }

    /// Whether there is a folder.
    package var isFolder: Bool { kind == S_IFDIR }

    /// What kind of thing is there, as the system numbers them; nil for nothing.
    private var kind: mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    /// Where a symbolic link leads through as many others as a system follows; the URL itself where it is none.
    fileprivate var followingLinks: URL {
        var url = self
        for _ in 0..<40 {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: url.path) else { break }
            url = URL(filePath: target, relativeTo: url.deletingLastPathComponent())
        }
        return url
    }
}
