/// Turns notes into REMI tokens and back, with the ids of MidiTok.
///
/// REMI (Huang and Yang, Pop Music Transformer, 2020) writes a piece as bars, positions in the bar, and for each note
/// its pitch, velocity and duration: `Bar Position Pitch Velocity Duration Pitch Velocity Duration Position …`. All
/// bars are 4/4.
public struct REMITokenizer: Sendable, Hashable {
    /// What determines the vocabulary.
    public let configuration: TokenizerConfiguration
    /// The tokens and their ids.
    public let vocabulary: Vocabulary

    /// Makes a tokenizer; without a configuration, the one that is built in (190 tokens).
    public init(_ configuration: TokenizerConfiguration = .standard) {
        self.configuration = configuration
        vocabulary = Vocabulary(configuration)
    }

    /// Reads a tokenizer from a `tokenizer.json` of MidiTok.
    ///
    /// - Throws: ``TokenizerError`` naming the key, ``FileError`` where the path cannot be read.
    public init(path: String) throws {
        try self.init(TokenizerConfiguration(tokenizerJSON: WholeFile.read(path), named: path))
    }

    /// The velocity of decoded notes where there are no velocity tokens, as in MidiTok.
    static let defaultVelocity = 100
}
