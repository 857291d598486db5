/// Why a tokenizer cannot be made, or a piece not be tokenised.
public enum TokenizerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The text is not the JSON that was expected; `path` leads to the place.
    case malformed(path: String, reason: String)
    /// A key is missing.
    case missing(key: String)
    /// A key has a value that makes no vocabulary.
    case invalid(key: String, value: String, expected: String)
    /// A switch of MidiTok is on that this tokenizer does not have.
    case unsupported(key: String, value: String)
    /// A tokenizer with a trained vocabulary (BPE, Unigram, WordPiece).
    case trained(key: String)
    /// A piece without notes but percussion, or with none in the range of pitches.
    case noNotes
    /// A piece of more bars than a tokenizer takes.
    case tooLong(bars: Int, limit: Int)
    /// A tokenizer and a model with different vocabularies.
    case vocabularyMismatch(tokenizer: String, tokens: Int, model: String, vocabulary: Int)

    /// One line: what was expected, what came, what to do.
    public var description: String {
        switch self {
        case .malformed(let path, let reason): "tokenizer, \(path): \(reason)"
        case .missing(let key): "tokenizer: the key '\(key)' is missing; save it with MidiTok 3 as a REMI tokenizer"
        case .invalid(let key, let value, let expected): "tokenizer, \(key): expected \(expected), got \(value)"
        case .unsupported(let key, let value):
            "tokenizer, \(key): \(value) is not supported; make the tokenizer with this switch off"
        case .trained(let key):
            "tokenizer, \(key): trained tokenizers are not supported; save the tokenizer before training it"
        case .noNotes: "no notes to tokenise: the piece is empty, only percussion, or outside the range of pitches"
        case .tooLong(let bars, let limit): "the piece has \(bars) bars, at most \(limit) are tokenised"
        case .vocabularyMismatch(let tokenizer, let tokens, let model, let vocabulary):
            "tokenizer \(tokenizer) has \(tokens) tokens, model \(model) has a vocabulary of \(vocabulary); "
                + "use the tokenizer.json of the model's folder"
        }
    }
}
