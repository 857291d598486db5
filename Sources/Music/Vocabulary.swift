/// The tokens of a configuration and their ids, numbered as by MidiTok.
///
/// The order is specials, Bar, Pitch, Velocity, Duration, Position.
public struct Vocabulary: Sendable, Hashable {
    /// The tokens by id.
    public let tokens: [Token]
    /// The velocities that have tokens, ascending: ⌊127·i / n⌋ for i = 1...n; empty without velocity tokens.
    public let velocities: [Int]
    /// The lengths of the duration tokens in steps, ascending.
    public let durations: [Int]

    private let ids: [Token: Int]
    let barID: Int
    let firstPitchID: Int
    let firstVelocityID: Int
    let firstDurationID: Int
    let firstPositionID: Int

    /// The vocabulary of a configuration.
    public init(_ configuration: TokenizerConfiguration) {
        let durationTokens = Self.durationTokens(configuration.beatResolutions)
        velocities =
            configuration.usesVelocities
            ? (1...configuration.velocityCount).map { 127 * $0 / configuration.velocityCount } : []
        durations = durationTokens.map {
            ($0.beats * $0.resolution + $0.steps) * configuration.stepsPerBeat / $0.resolution
        }
        var tokens = configuration.specialTokens.map { Token.special($0) }
        barID = tokens.count
        tokens.append(.bar)
        firstPitchID = tokens.count
        tokens += configuration.pitches.map { .pitch($0) }
        firstVelocityID = tokens.count
        tokens += velocities.map { .velocity($0) }
        firstDurationID = tokens.count
        tokens += durationTokens.map { .duration(beats: $0.beats, steps: $0.steps, resolution: $0.resolution) }
        firstPositionID = tokens.count
        tokens += (0..<BarGrid.beatsPerBar * configuration.stepsPerBeat).map { .position($0) }
        self.tokens = tokens
        ids = Dictionary(uniqueKeysWithValues: tokens.enumerated().map { ($0.element, $0.offset) })
    }

    /// How many tokens there are.
    public var count: Int { tokens.count }

    /// The id of a token, or nil where the vocabulary has none.
    public func id(of token: Token) -> Int? { ids[token] }

    /// The token of an id, or nil outside the vocabulary; the model's [MASK], id ``count``, has none.
    public func token(of id: Int) -> Token? { tokens.indices.contains(id) ? tokens[id] : nil }

    /// MidiTok's strings for ids; an id outside the vocabulary becomes `Unknown_id`.
    public func strings(of ids: [Int]) -> [String] {
        ids.map { id in token(of: id)?.description ?? "Unknown_\(id)" }
    }

    /// The ids of the special tokens, which sampling may not draw.
    public var specialIDs: [Int] {
        tokens.indices.filter { if case .special = tokens[$0] { true } else { false } }
    }

    /// Checks that a model has as many ids as there are tokens, its [MASK] not counted.
    ///
    /// - Parameters:
    ///   - size: The model's vocabulary, V.
    ///   - model: The model's name, for the message.
    ///   - tokenizer: The tokenizer's name, for the message.
    /// - Throws: ``TokenizerError/vocabularyMismatch(tokenizer:tokens:model:vocabulary:)``.
    public func check(fits size: Int, model: String, tokenizer: String) throws {
        guard size == count else {
            throw TokenizerError.vocabularyMismatch(
                tokenizer: tokenizer, tokens: count, model: model, vocabulary: size)
        }
    }

    /// Each stretch's beats and steps but the length 0, then the end of the last stretch.
    private static func durationTokens(
        _ resolutions: [TokenizerConfiguration.BeatResolution]
    ) -> [(beats: Int, steps: Int, resolution: Int)] {
        var tokens = resolutions.flatMap { stretch in
            stretch.beats.flatMap { beat in
                (0..<stretch.stepsPerBeat).map { (beats: beat, steps: $0, resolution: stretch.stepsPerBeat) }
            }
        }
        tokens.removeFirst()
        if let last = resolutions.last {
            tokens.append((beats: last.beats.upperBound, steps: 0, resolution: last.stepsPerBeat))
        }
        return tokens
    }
}
