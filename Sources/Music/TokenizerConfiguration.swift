/// What determines a REMI vocabulary, in the terms of MidiTok's `TokenizerConfig`.
///
/// Every other switch of MidiTok is off. MidiTok 3.0.6 and later take `pitch_range` with both ends, earlier ones
/// without the upper end; ``pitches`` is always the range that has tokens.
public struct TokenizerConfiguration: Sendable, Hashable {
    /// A stretch of durations in beats and the steps that a beat is cut into.
    public struct BeatResolution: Sendable, Hashable {
        /// From the first beat up to the second.
        public let beats: Range<Int>
        /// Steps in a beat, at least 1.
        public let stepsPerBeat: Int

        /// Makes a stretch.
        public init(beats: Range<Int>, stepsPerBeat: Int) {
            self.beats = beats
            self.stepsPerBeat = stepsPerBeat
        }
    }

    /// The pitches that have tokens; notes outside are left out.
    public let pitches: ClosedRange<Int>
    /// Stretches of durations, without gaps from beat 0.
    public let beatResolutions: [BeatResolution]
    /// How many velocities there are, 1...127.
    public let velocityCount: Int
    /// Names of the special tokens in the order of their ids, without MidiTok's `_None`.
    public let specialTokens: [String]
    /// Whether of notes with equal onset and pitch only the shortest is kept.
    public let removesDuplicatedNotes: Bool
    /// Whether notes have a velocity token; without, decoded notes have velocity 100.
    public let usesVelocities: Bool

    /// Makes a configuration; what is not given is as in ``standard``.
    ///
    /// - Throws: ``TokenizerError/invalid(key:value:expected:)`` naming the first key that makes no vocabulary.
    public init(
        pitches: ClosedRange<Int> = standard.pitches,
        beatResolutions: [BeatResolution] = standard.beatResolutions,
        velocityCount: Int = standard.velocityCount,
        specialTokens: [String] = standard.specialTokens,
        removesDuplicatedNotes: Bool = standard.removesDuplicatedNotes,
        usesVelocities: Bool = standard.usesVelocities
    ) throws {
        self.init(
            unchecked: pitches, beatResolutions, velocityCount, specialTokens, removesDuplicatedNotes, usesVelocities)
        try validate()
    }

    /// The tokenizer that holds where no file is given: 190 tokens, 32 velocities.
    public static let standard = TokenizerConfiguration(velocityCount: 32)
    /// The tokenizer of the shipped model: as ``standard`` but 8 velocities, 166 tokens.
    public static let smallVelocity = TokenizerConfiguration(velocityCount: 8)

    private init(velocityCount: Int) {
        self.init(
            unchecked: 21...109, [BeatResolution(beats: 0..<12, stepsPerBeat: 4)], velocityCount,
            ["PAD", "BOS", "EOS", "MASK"], false, true)
    }

    private init(
        unchecked pitches: ClosedRange<Int>, _ beatResolutions: [BeatResolution], _ velocityCount: Int,
        _ specialTokens: [String], _ removesDuplicatedNotes: Bool, _ usesVelocities: Bool
    ) {
        self.pitches = pitches
        self.beatResolutions = beatResolutions
        self.velocityCount = velocityCount
        self.specialTokens = specialTokens
        self.removesDuplicatedNotes = removesDuplicatedNotes
        self.usesVelocities = usesVelocities
    }

    /// Steps in a beat of the onset grid: the finest of the resolutions.
    public var stepsPerBeat: Int { beatResolutions.map(\.stepsPerBeat).max() ?? 1 }
}

// MARK: - Validity

extension TokenizerConfiguration {
    /// The longest duration that a configuration may have, in beats; MidiTok's own default is 12.
    static let largestBeatCount = 1024
    /// The finest grid that a configuration may have.
    static let largestStepsPerBeat = 480
    /// The most duration tokens that a configuration may have: a model has no more tokens than this.
    static let largestDurationCount = 65_536

    private func validate() throws {
        guard pitches.lowerBound >= 0, pitches.upperBound <= 127 else {
            throw TokenizerError.invalid(
                key: "pitch_range", value: "\(pitches.lowerBound) to \(pitches.upperBound)",
                expected: "pitches within 0 to 127")
        }
        guard (1...127).contains(velocityCount) else {
            throw TokenizerError.invalid(key: "num_velocities", value: "\(velocityCount)", expected: "1 to 127")
        }
        var end = 0
        for resolution in beatResolutions {
            guard resolution.beats.lowerBound == end, !resolution.beats.isEmpty,
                resolution.beats.upperBound <= Self.largestBeatCount,
                (1...Self.largestStepsPerBeat).contains(resolution.stepsPerBeat)
            else {
                throw TokenizerError.invalid(
                    key: "beat_res", value: "\(resolution.beats): \(resolution.stepsPerBeat)",
                    expected: "stretches without gaps from beat 0 to at most \(Self.largestBeatCount), "
                        + "1 to \(Self.largestStepsPerBeat) steps each")
            }
            guard stepsPerBeat % resolution.stepsPerBeat == 0 else {
                throw TokenizerError.invalid(
                    key: "beat_res", value: "\(resolution.stepsPerBeat) beside \(stepsPerBeat)",
                    expected: "resolutions that divide the finest one")
            }
            end = resolution.beats.upperBound
        }
        let durations = beatResolutions.reduce(0) { $0 + $1.beats.count * $1.stepsPerBeat }
        guard (1...Self.largestDurationCount).contains(durations) else {
            throw TokenizerError.invalid(
                key: "beat_res", value: "\(durations) durations",
                expected: "at least one stretch and at most \(Self.largestDurationCount) durations")
        }
        try validateSpecialTokens()
    }

    private func validateSpecialTokens() throws {
        let musical = ["Bar", "Pitch", "Velocity", "Duration", "Position"]
        var known = Set(musical)
        for name in specialTokens {
            let isWord = !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !#"_"\"#.utf8.contains($0) }
            guard isWord, known.insert(name).inserted else {
                throw TokenizerError.invalid(
                    key: "special_tokens", value: name,
                    expected: "distinct names of printable characters, none of \(musical.joined(separator: ", "))")
            }
        }
        guard specialTokens.contains("PAD") else {
            throw TokenizerError.invalid(
                key: "special_tokens", value: specialTokens.joined(separator: " "), expected: "PAD among them")
        }
    }
}
