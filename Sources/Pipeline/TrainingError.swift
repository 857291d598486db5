/// A training run that cannot go on.
public enum TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The loss or a gradient stopped being a number.
    case notANumber(step: Int, operation: String)
    /// A checkpoint cannot be continued from.
    case checkpoint(String, expected: String, found: String)

    /// One line that names the thing and what to do.
    public var description: String {
        switch self {
        case .notANumber(let step, let operation):
            "step \(step): \(operation) gave the first value that is no number; "
                + "train anew with a lower rate or maximum norm"
        case .checkpoint(let path, let expected, let found): "\(path): expected \(expected), found \(found)"
        }
    }
}
