public import Foundation

/// A folder for the files of a test, new and empty, and gone when the tests' process exits.
public struct TemporaryFolder: Sendable {
    private static let parent: URL = {
        atexit { try? FileManager.default.removeItem(at: TemporaryFolder.parent) }
        return FileManager.default.temporaryDirectory.appending(path: "smdim-tests-\(UUID().uuidString)")
    }()

    /// Where it is.
    public let url: URL

    /// Makes one; throws what the file system does.
    public init() throws {
        url = Self.parent.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    /// The path of a file in the folder.
    public func path(_ name: String) -> String { url.appending(path: name).path }

    /// The names of the files in the folder, in their order.
    public var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: url.path).sorted()) ?? [] }
}
