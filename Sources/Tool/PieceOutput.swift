import ComputeCore
import Foundation
import Music
import Pipeline

/// Where pieces go: one file, or files in a folder that are numbered by sample.
struct PieceOutput {
    private let arguments: PieceArguments
    private let isFolder: Bool
    private var path: String { arguments.output }

    /// Checks the place before anything is computed.
    init(_ arguments: PieceArguments) throws {
        self.arguments = arguments
        let path = arguments.output
        try requireOption(!path.isEmpty, "output", "a file or a folder", "nothing")
        isFolder = arguments.count > 1 || path.hasSuffix("/") || URL(filePath: path).isFolder
        if isFolder { try WholeFile.makeFolder(path) }
        try requireWritable(isFolder ? "\(path)/000.mid" : path)
    }

    /// Draws the pieces batch by batch and writes each batch when it is drawn, so that an interrupt costs one batch alone.
    ///
    /// - Parameter draw: Is given the settings of a batch.
    func write<Settings: PieceSettings>(
        as label: String, _ settings: Settings,
        draw: (_ settings: Settings, _ progress: @escaping (SamplingProgress) -> Void) throws -> [Piece]
    ) throws {
        let bar = ProgressBar(label)
        let starts = Array(stride(from: 0, to: settings.count, by: settings.batch))
        var reports: [Report] = []
        for (index, start) in starts.enumerated() {
            var part = settings
            part.firstSample += start
            part.count = min(settings.batch, settings.count - start)
            let pieces = try draw(part) {
                bar.show(index * $0.total + $0.done, of: starts.count * $0.total)
            }
            bar.clear()
            for piece in pieces {
                let report = try write(piece)
                if arguments.json { reports.append(report) } else { try Terminal.result(report.line) }
            }
        }
        if arguments.json { try Terminal.result(try Terminal.json(reports)) }
    }

    private func write(_ piece: Piece) throws -> Report {
        let folder = path.hasSuffix("/") ? path : path + "/"
        let file = isFolder ? folder + String(format: "%03d.mid", piece.summary.sample) : path
        try piece.file.write(to: file)
        return Report(file: file, piece: piece.summary)
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

/// Settings that say which pieces are drawn.
protocol PieceSettings {
    var firstSample: Int { get set }
    var count: Int { get set }
    var batch: Int { get }
}

extension SamplingSettings: PieceSettings {}
extension RollSettings: PieceSettings {}

/// Checks that a file can be written at `path`, before what is to be in it is computed.
func requireWritable(_ path: String) throws {
    guard !URL(filePath: path).isSpecial else { return }
    guard !URL(filePath: path).isFolder else { throw FileError.unwritable(path: path, reason: "it is a folder") }
    let folder = URL(filePath: path).deletingLastPathComponent()
    guard folder.isFolder, FileManager.default.isWritableFile(atPath: folder.path) else {
        throw FileError.unwritable(path: path, reason: "the folder \(folder.path) is not there or not writable")
    }
}
