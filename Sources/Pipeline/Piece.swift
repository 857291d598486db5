public import Music

/// A piece that a model wrote, wholly or in part.
public struct Piece: Sendable {
    /// The file.
    public let file: MIDIFile
    /// The tokens that were drawn, with those around them that the model saw; none from a model of rolls.
    public let tokens: [Int]
    /// What became of the tokens.
    public internal(set) var summary: Summary

    /// What is said about a piece, in print and in JSON.
    public struct Summary: Sendable, Codable, Hashable {
        /// The number of the sample; with the seed it names the piece.
        public var sample: Int
        /// The seed.
        public var seed: UInt64
        /// Notes that were written.
        public var notes: Int
        /// Bars that were written.
        public var bars: Int
        /// Tokens that could not be part of a note and were skipped.
        public var skippedTokens: Int
        /// Network calls of the piece's batch.
        public var networkCalls: Int
        /// Draws of the piece so close to a boundary that another device may draw another token.
        public var nearTies: Int
        /// What the caller should know.
        public var remarks: [String] = []
    }
}
