/// A sampling run that cannot be, or that went wrong.
public enum SamplingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The number of steps is not in 1...1,000,000.
    case stepCount(Int)
    /// An option has a value outside its range.
    case option(name: String, expected: String, found: String)
    /// A sequence has another length than the sampler was made for.
    case sequenceLength(sample: Int, expected: Int, found: Int)
    /// A given token is neither an id of the vocabulary nor [MASK].
    case tokenOutOfRange(sample: Int, position: Int, token: Int32, vocabularySize: Int)
    /// Every id is forbidden.
    case nothingAllowed
    /// The network's output at some position was no distribution, so nothing could be drawn.
    case undefinedDistribution(sample: Int, position: Int)

    /// One line that names the thing, what was expected and what came.
    public var description: String {
        switch self {
        case .stepCount(let count): "steps: expected 1 to \(Self.mostSteps), found \(count)"
        case .option(let name, let expected, let found): "\(name): expected \(expected), found \(found)"
        case .sequenceLength(let sample, let expected, let found):
            "sample \(sample): expected \(expected) tokens, found \(found)"
        case .tokenOutOfRange(let sample, let position, let token, let size):
            "sample \(sample), position \(position): expected a token id below \(size) or [MASK] (\(size)), found \(token)"
        case .nothingAllowed: "allowed tokens: expected at least one, found none"
        case .undefinedDistribution(let sample, let position):
            "sample \(sample), position \(position): the network gave no finite logits to draw from; the weights are damaged"
        }
    }
}

extension SamplingError {
    private static let mostSteps = 1_000_000

    /// Checks a number of reverse steps.
    static func require(stepCount: Int) throws(SamplingError) {
        guard (1...mostSteps).contains(stepCount) else { throw .stepCount(stepCount) }
    }

    /// Checks T.
    static func require(temperature: Float) throws(SamplingError) {
        guard temperature >= 0, temperature.isFinite else {
            throw .option(name: "temperature", expected: "a number that is not negative", found: "\(temperature)")
        }
    }
}

extension Int32 {
    /// The number of the first of `count` samples as draws count it, in 31 bits.
    ///
    /// - Throws: ``SamplingError/option(name:expected:found:)`` unless the last sample can be counted too.
    init(firstSample: Int, of count: Int) throws(SamplingError) {
        let last = Int(Int32.max) - (count - 1)
        guard firstSample >= 0, firstSample <= last else {
            throw .option(name: "first-sample", expected: "0 to \(last) for \(count) samples", found: "\(firstSample)")
        }
        self = Int32(firstSample)
    }
}
