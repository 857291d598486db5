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

    /// One line that names the thing, what was expected and what came.
    public var description: String {
        switch self {
        case .option(let name, let expected, let found): "\(name): expected \(expected), found \(found)"
        case .missingToken(let token): "tokenizer: expected the token \(token), found none; REMI needs it"
        case .emptyGap(let bars):
            "bars \(bars.lowerBound)-\(bars.upperBound): expected notes to replace, found none; say how many with --tokens"
        case .gapTooLong(let bars, let tokens, let limit):
            "bars \(bars.lowerBound)-\(bars.upperBound): expected at most \(limit) tokens, found \(tokens); take fewer bars"
        }
    }
}
