import Foundation

/// How much the grammar's tests do: a little, or what `make soak` asks for.
///
/// `SMDIM_SOAK_PIECES` says how many pieces are drawn for each number of steps, 10 if it is not set, `SMDIM_SOAK_FIRST` how many
/// of them an earlier soak drew; `SMDIM_SOAK_FOLDER` where to write their tokens, for `Benchmarks/peers/check_grammar.py`.
enum Soak {
    private static let environment = ProcessInfo.processInfo.environment

    /// Whether this is a soak.
    static let isOn = environment["SMDIM_SOAK_PIECES"] != nil
    /// Pieces for each number of steps, at least 10.
    static let pieces = max(10, environment["SMDIM_SOAK_PIECES"].flatMap { Int($0) } ?? 10)

    /// The numbers of the tests that draw the pieces, so many at a time.
    static func tests(of count: Int) -> Range<Int> {
        let first = environment["SMDIM_SOAK_FIRST"].flatMap { Int($0) } ?? 0
        return min(max(first, 0), pieces) / count..<pieces / count
    }

    /// Writes token sequences to the folder, if there is one, as `name-<number>.json`.
    static func keep(_ sequences: [[Int]], as name: String, first: Int) throws {
        guard let folder = environment["SMDIM_SOAK_FOLDER"] else { return }
        for (index, ids) in sequences.enumerated() {
            let file = URL(filePath: folder).appending(path: "\(name)-\(first + index).json")
            try JSONEncoder().encode(["ids": ids]).write(to: file)
        }
    }
}
