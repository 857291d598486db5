import Foundation
import Music

/// What goes to the terminal: results on stdout, everything else on stderr.
enum Terminal {
    /// One line on stderr.
    static func error(_ text: String) {
        FileHandle.standardError.write(Data("smdim: \(String(text.map { $0.isNewline ? " " : $0 }))\n".utf8))
    }

    /// Lines on stdout.
    ///
    /// - Throws: ``FileError/unwritable(path:reason:)`` where they do not get there.
    static func result(_ text: String) throws {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data("\(text)\n".utf8))
        } catch {
            throw FileError.unwritable(path: "stdout", reason: error.localizedDescription)
        }
    }

    /// A remark on stderr that does not stop anything.
    static func note(_ text: String) {
        FileHandle.standardError.write(Data("\(text)\n".utf8))
    }

    /// A remark for who sits before it.
    static func noteOnTerminal(_ text: String) {
        if isatty(STDERR_FILENO) == 1 { note(text) }
    }

    /// The first remarks of a list on stderr, and how many more there are.
    static func note(list remarks: [String], more label: String) {
        let shown = 8
        for remark in remarks.prefix(shown) { note(remark) }
        if remarks.count > shown { note("\(label) \(remarks.count - shown) more") }
    }

    /// Columns padded to their widest entry; numbers to the right.
    static func table(_ header: [String], _ rows: [[String]]) -> String {
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        func line(_ row: [String]) -> String {
            zip(row, widths).map { cell, width in
                let padding = String(repeating: " ", count: width - cell.count)
                return cell.first?.isNumber == true ? padding + cell : cell + padding
            }.joined(separator: "  ").trimmingTrailingSpaces
        }
        return ([line(header)] + rows.map(line)).joined(separator: "\n")
    }

    /// A value as JSON, keys sorted.
    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

extension String {
    fileprivate var trimmingTrailingSpaces: String {
        String(reversed().drop { $0 == " " }.reversed())
    }
}

/// A bar with the time left, on stderr; silent when that is no terminal.
final class ProgressBar {
    private let label: String
    private let start = ContinuousClock.now
    private let isVisible = isatty(STDERR_FILENO) == 1

    init(_ label: String) {
        self.label = label
    }

    /// Shows `done` of `total`.
    func show(_ done: Int, of total: Int) {
        guard isVisible, total > 0, done > 0 else { return }
        let elapsed = (ContinuousClock.now - start).seconds
        let left = elapsed / Double(done) * Double(total - done)
        let filled = 30 * done / total
        let bar = String(repeating: "█", count: filled) + String(repeating: "·", count: 30 - filled)
        let text = String(format: "\r%@ %@ %d/%d, %.0f s left  ", label, bar, done, total, left)
        FileHandle.standardError.write(Data(text.utf8))
        if done >= total { clear() }
    }

    /// Takes the bar away, for lines to come.
    func clear() {
        if isVisible { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
    }
}

extension Duration {
    /// The duration in seconds.
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
