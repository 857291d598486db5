extension REMITokenizer {
    /// Notes from tokens, and what among the tokens made no note.
    public struct Decoding: Sendable, Hashable {
        /// The notes, by the order of their tokens.
        public let notes: [GridNote]
        /// The counts.
        public let report: DecodeReport
    }

    /// What a sequence of tokens held.
    public struct DecodeReport: Sendable, Hashable, Codable {
        /// Tokens altogether.
        public var tokens = 0
        /// Bar tokens.
        public var bars = 0
        /// Notes.
        public var notes = 0
        /// Pitches without the velocity and duration that must follow them.
        public var incompleteNotes = 0
        /// Velocities that follow no pitch.
        public var strayVelocities = 0
        /// Durations that follow no pitch and velocity.
        public var strayDurations = 0
        /// Padding, which fills up a piece that ends early.
        public var paddingTokens = 0
        /// Other special tokens.
        public var specialTokens = 0
        /// Ids outside the vocabulary, the model's [MASK] among them.
        public var unknownTokens = 0

        /// Tokens that were passed over: all of the above that made no note, bar or position and are no padding.
        public var skipped: Int {
            incompleteNotes + strayVelocities + strayDurations + specialTokens + unknownTokens
        }
    }

    /// Turns ids into notes, whatever their order.
    ///
    /// As in MidiTok, a note is a pitch directly followed by a velocity and a duration; it begins at the last position
    /// of the last bar, or at the bar line where the bar has no position yet. A position before any bar opens bar 1.
    /// What is no note, bar or position is passed over and counted.
    public func decode(_ ids: [Int]) -> Decoding {
        let stepsPerBar = BarGrid.beatsPerBar * configuration.stepsPerBeat
        var report = DecodeReport()
        report.tokens = ids.count
        var notes: [GridNote] = []
        var bar = -1
        var step = 0
        var index = 0
        while index < ids.count {
            defer { index += 1 }
            switch vocabulary.token(of: ids[index]) {
            case .bar:
                bar += 1
                report.bars += 1
                step = bar * stepsPerBar
            case .position(let position):
                bar = max(bar, 0)
                step = bar * stepsPerBar + position
            case .pitch(let pitch):
                guard let (velocity, duration, length) = restOfNote(in: ids, after: index) else {
                    report.incompleteNotes += 1
                    continue
                }
                notes.append(GridNote(step: step, duration: duration, pitch: pitch, velocity: velocity))
                index += length
            case .velocity: report.strayVelocities += 1
            case .duration: report.strayDurations += 1
            case .pad: report.paddingTokens += 1
            case .special: report.specialTokens += 1
            case nil: report.unknownTokens += 1
            }
        }
        report.notes = notes.count
        return Decoding(notes: notes, report: report)
    }

    /// Turns ids into a file of one piano part.
    ///
    /// - Parameters:
    ///   - ids: The ids.
    ///   - tempo: The file's tempo.
    ///   - transposition: Semitones to move the notes by.
    ///   - division: Ticks in a quarter note of the file.
    public func midiFile(
        from ids: [Int], tempo: Tempo, transposition: Int = 0, division: Int = 480
    ) -> (file: MIDIFile, report: DecodeReport) {
        let decoding = decode(ids)
        let grid = BarGrid(division: division, stepsPerBeat: configuration.stepsPerBeat)
        let notes = decoding.notes.transposed(by: transposition).map { grid.note($0) }
        return (MIDIFile(notes: notes, division: grid.division, tempo: tempo), decoding.report)
    }

    /// The velocity and duration of the pitch at an index, and how many tokens hold them.
    private func restOfNote(in ids: [Int], after index: Int) -> (velocity: Int, duration: Int, length: Int)? {
        var next = index + 1
        var velocity = Self.defaultVelocity
        if configuration.usesVelocities {
            guard next < ids.count, case .velocity(let value) = vocabulary.token(of: ids[next]) else { return nil }
            velocity = value
            next += 1
        }
        guard next < ids.count, case .duration = vocabulary.token(of: ids[next]) else { return nil }
        return (velocity, vocabulary.durations[ids[next] - vocabulary.firstDurationID], next - index)
    }
}
