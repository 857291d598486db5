public import Music

/// How far a sequence of tokens keeps to the grammar of REMI.
public struct TokenOrder: Sendable, Hashable, Codable {
    /// Tokens in the sequence.
    public var tokens = 0
    /// Tokens of a type that may not follow the one before.
    public var wrongTypes = 0
    /// Positions that do not go forward in their bar.
    public var wrongPositions = 0
    /// Pitches struck twice at one position, where the tokenizer keeps only one.
    public var duplicatedNotes = 0

    /// Tokens that break the grammar; no token counts twice.
    public var errors: Int { wrongTypes + wrongPositions + duplicatedNotes }
    /// ``errors`` / ``tokens``, 0 for an empty sequence.
    public var errorRatio: Double { tokens > 0 ? Double(errors) / Double(tokens) : 0 }
}

extension REMITokenizer {
    /// Counts the tokens that break the grammar of REMI, by the rules of MidiTok's `tokens_errors`.
    ///
    /// Bar goes before Bar or Position, Position before Pitch, Pitch before Velocity, Velocity before Duration,
    /// Duration before Pitch, Position or Bar (without velocities, Pitch before Duration). Special tokens may stand
    /// anywhere, but nothing goes before BOS and nothing after EOS. Unlike in MidiTok a special token may follow
    /// another, so that padding is no error; an id outside the vocabulary is a wrong type.
    public func tokenOrder(of ids: [Int]) -> TokenOrder {
        var order = TokenOrder()
        order.tokens = ids.count
        var previous: TokenKind?
        var position = -1
        var pitches: Set<Int> = []
        for id in ids {
            let token = vocabulary.token(of: id)
            let kind = TokenKind(token)
            defer { previous = kind }
            guard allows(kind, after: previous) else {
                order.wrongTypes += 1
                continue
            }
            switch token {
            case .bar:
                position = -1
                pitches = []
            case .position(let next):
                order.wrongPositions += next <= position ? 1 : 0
                position = next
                pitches = []
            case .pitch(let pitch):
                let isNew = pitches.insert(pitch).inserted
                order.duplicatedNotes += configuration.removesDuplicatedNotes && !isNew ? 1 : 0
            default: break
            }
        }
        return order
    }

    /// Whether one kind of token may follow another; anything known may begin a sequence.
    private func allows(_ next: TokenKind, after previous: TokenKind?) -> Bool {
        switch (previous, next) {
        case (.end, _), (_, .unknown): false
        case (nil, _): true
        case (_, .begin): previous == .special || previous == .begin
        case (_, .special), (_, .end), (.special, _), (.begin, _), (.unknown, _): true
        case (.bar, .bar), (.bar, .position), (.position, .pitch): true
        case (.pitch, .velocity), (.velocity, .duration): true
        case (.pitch, .duration): !configuration.usesVelocities
        case (.duration, .pitch), (.duration, .position), (.duration, .bar): true
        default: false
        }
    }
}

/// A token without its value.
private enum TokenKind {
    case bar, position, pitch, velocity, duration, special, begin, end, unknown

    init(_ token: Token?) {
        self =
            switch token {
            case .bar: .bar
            case .position: .position
            case .pitch: .pitch
            case .velocity: .velocity
            case .duration: .duration
            case .bos: .begin
            case .eos: .end
            case .special: .special
            case nil: .unknown
            }
    }
}
