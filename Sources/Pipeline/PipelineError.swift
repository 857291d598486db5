/// A request that cannot be carried out.
public enum PipelineError: Error, Equatable, Sendable, CustomStringConvertible {
    /// An option has a value outside its range.
    case option(name: String, expected: String, found: String)
    /// The tokenizer lacks a token that the call needs.
    case missingToken(String)
    /// The bars hold no tokens to replace.
    case emptyGap(bars: ClosedRange<Int>)
    /// The bars have more tokens than the model sees at once.
    case gapTooLong(bars: ClosedRange<Int>, tokens: Int, limit: Int)
    /// No well-formed notes fill the bars with these tokens, or where nil, with as many as each bar had; others that would do.
    case unfillableGap(bars: ClosedRange<Int>, tokens: Int?, possible: [Int])

    /// One line that names the thing, what was expected and what came.
    public var description: String {
        switch self {
        case .option(let name, let expected, let found): "\(name): expected \(expected), found \(found)"
        case .missingToken(let token): "tokenizer: expected the token \(token), found none; REMI needs it"
        case .emptyGap(let bars):
            "bars \(bars.lowerBound)-\(bars.upperBound): expected notes to replace, found none; say how many with --tokens"
        case .gapTooLong(let bars, let tokens, let limit):
            "bars \(bars.lowerBound)-\(bars.upperBound): expected at most \(limit) tokens, found \(tokens); "
                + "take fewer bars, or fewer with --tokens"
        case .unfillableGap(let bars, let tokens, let possible):
            "bars \(bars.lowerBound)-\(bars.upperBound): expected a number of tokens that well-formed bars have, found "
                + (tokens.map(String.init) ?? "as many as each bar had") + "; take "
                + (possible.isEmpty ? "another" : possible.map(String.init).joined(separator: " or "))
                + " with --tokens"
        }
    }

    /// Checks how many pieces are drawn, from which on, and how many at once.
    static func require(count: Int, firstSample: Int, batch: Int) throws(PipelineError) {
        let most = 1_000_000
        guard (1...most).contains(count) else {
            throw .option(name: "count", expected: "1 to \(most)", found: "\(count)")
        }
        // Draws count samples in 31 bits.
        let last = Int(Int32.max) - (count - 1)
        guard (0...last).contains(firstSample) else {
            throw .option(name: "first-sample", expected: "0 to \(last) for \(count) pieces", found: "\(firstSample)")
        }
        guard batch >= 1 else { throw .option(name: "batch", expected: "at least 1", found: "\(batch)") }
    }
}
