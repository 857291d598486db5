package import Foundation

extension Data {
    /// Writes to a temporary file beside `url` and renames it: what stands there is whole or as it was.
    ///
    /// A symbolic link stays, and the file is written where it leads, be there one yet or none. A device or a pipe is written
    /// to as it is.
    ///
    /// - Throws: what Foundation does where the file cannot be written.
    package func writeWhole(to url: URL) throws {
        let target = url.followingLinks
        let type = try? FileManager.default.attributesOfItem(atPath: target.path)[.type] as? FileAttributeType
        let isSpecial = [.typeCharacterSpecial, .typeBlockSpecial, .typeSocket, .typeUnknown].contains(type)
        guard isSpecial else { return try write(to: target, options: .atomic) }
        let handle = try FileHandle(forWritingTo: target)
        defer { try? handle.close() }
        try handle.write(contentsOf: self)
    }
}

extension URL {
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
