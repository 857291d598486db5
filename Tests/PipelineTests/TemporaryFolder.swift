import Foundation

/// Folders for the files of tests, gone when the process exits.
enum TemporaryFolder {
    private static let parent: URL = {
        atexit { try? FileManager.default.removeItem(at: TemporaryFolder.parent) }
        return FileManager.default.temporaryDirectory.appending(path: "smdim-pipeline-\(UUID().uuidString)")
    }()

    /// A new and empty folder.
    static func make() throws -> URL {
        let folder = parent.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }
}
