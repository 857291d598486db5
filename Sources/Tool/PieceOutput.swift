import ComputeCore
import Foundation
import Music
import Pipeline

/// Where pieces go: one file, or files in a folder that are numbered by sample.
struct PieceOutput {
    private let path: String
    private let isFolder: Bool

    /// Checks the place before anything is computed.
    init(_ path: String, count: Int) throws {
        self.path = path
        isFolder = count > 1 || Self.isFolder(path)
        let folder = isFolder ? path : URL(filePath: path).deletingLastPathComponent().path
        if count > 1 { try WholeFile.makeFolder(path) }
        guard !URL(filePath: path).isSpecial else { return }
        guard Self.isFolder(folder), FileManager.default.isWritableFile(atPath: folder) else {
            throw FileError.unwritable(path: path, reason: "the folder \(folder) is not there or not writable")
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }

    /// Writes the pieces and says what was written.
    func write(_ pieces: [Piece], json: Bool) throws {
        var reports: [Report] = []
        for piece in pieces {
            let file = isFolder ? "\(path)/\(String(format: "%03d", piece.summary.sample)).mid" : path
            try piece.file.write(to: file)
            reports.append(Report(file: file, piece: piece.summary))
        }
        if json {
            try Terminal.result(try Terminal.json(reports))
        } else {
            for report in reports { try Terminal.result(report.line) }
        }
    }

    private struct Report: Encodable {
        let file: String
        let piece: Piece.Summary

        var line: String {
            var parts = ["\(piece.notes) notes", "\(piece.bars) bars", "seed \(piece.seed)", "sample \(piece.sample)"]
            if piece.skippedTokens > 0 { parts.append("\(piece.skippedTokens) tokens skipped") }
            if piece.nearTies > 0 { parts.append("\(piece.nearTies) near-ties") }
            return "\(file): " + (parts + piece.remarks).joined(separator: ", ")
        }
    }
}
