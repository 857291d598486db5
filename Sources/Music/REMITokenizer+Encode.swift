extension REMITokenizer {
    /// The longest piece that is tokenised, so that a file of a few bytes cannot ask for millions of empty bars.
    public static let largestBarCount = 65_536

    /// A piece as token ids.
    public struct Encoding: Sendable, Hashable {
        /// The ids.
        public let ids: [Int]
        /// For each id the step at which it stands: of a Bar token its bar line, of the others their onset.
        public let steps: [Int]
        /// For each bar, from the first, the index of its Bar token in ``ids``.
        public let barStarts: [Int]
        /// The grid that the piece was read on.
        public let grid: BarGrid
        /// Notes outside the range of pitches, which have no tokens.
        public let skippedNotes: Int

        /// The indices into ``ids`` of the tokens of a bar, from 1, its Bar token included.
        ///
        /// A bar after the last is the empty range at the end.
        public func tokens(ofBar bar: Int) -> Range<Int> {
            tokens(in: (bar - 1) * grid.stepsPerBar..<bar * grid.stepsPerBar)
        }

        /// The indices into ``ids`` of the tokens that stand at these steps.
        public func tokens(in range: Range<Int>) -> Range<Int> {
            let start = steps.firstIndex { $0 >= range.lowerBound } ?? ids.count
            return start..<(steps[start...].firstIndex { $0 >= range.upperBound } ?? ids.count)
        }
    }

    /// Tokenises notes on the file's own grid, with the ids of MidiTok.
    ///
    /// Percussion is left out; the other notes are sorted by (tick, duration, pitch, velocity) on the file's ticks.
    /// Then onsets and durations are rounded to steps, halves up; durations (at least a step) and velocities become
    /// the nearest that have a token, the greater of two equally near.
    ///
    /// - Parameters:
    ///   - notes: The notes, in any order.
    ///   - division: Ticks in a quarter note.
    /// - Throws: ``TokenizerError/noNotes`` and ``TokenizerError/tooLong(bars:limit:)``.
    public func encode(_ notes: [Note], division: Int) throws -> Encoding {
        let grid = BarGrid(division: division, stepsPerBeat: configuration.stepsPerBeat)
        let gridNotes = notes.filter { !$0.isDrum }.sorted(by: Note.precedes).map { note in
            GridNote(
                step: rounded(note.tick, division: grid.division),
                duration: max(1, rounded(note.duration, division: grid.division)),
                pitch: note.pitch, velocity: note.velocity)
        }
        return try encode(gridNotes, on: grid)
    }

    /// Tokenises notes on a grid that is shifted to their onsets.
    ///
    /// Notes are rounded to the steps of the grid and the tokens' durations and velocities, and then sorted by (step,
    /// pitch, duration, velocity), so that a chord has one spelling.
    ///
    /// - Parameters:
    ///   - notes: The notes, in any order; percussion is left out.
    ///   - division: Ticks in a quarter note.
    ///   - grid: The grid; without, its phase is estimated from the notes.
    ///   - barCount: Bars to write at least; those behind the last note that has tokens are empty.
    /// - Throws: ``TokenizerError/noNotes`` and ``TokenizerError/tooLong(bars:limit:)``.
    public func encodeAligned(
        _ notes: [Note], division: Int, on grid: BarGrid? = nil, barCount: Int = 0
    ) throws -> Encoding {
        let pitched = notes.filter { !$0.isDrum }
        let grid = grid ?? BarGrid(aligning: pitched, division: division, stepsPerBeat: configuration.stepsPerBeat)
        return try encode(pitched.map(grid.quantized), on: grid, sorting: true, barCount: barCount)
    }

    /// Tokenises notes on a grid in the order given, which must be by step ascending.
    ///
    /// - Throws: ``TokenizerError/noNotes`` and ``TokenizerError/tooLong(bars:limit:)``.
    public func encode(_ notes: [GridNote], on grid: BarGrid) throws -> Encoding {
        try encode(notes, on: grid, sorting: false, barCount: 0)
    }

    private func encode(_ notes: [GridNote], on grid: BarGrid, sorting: Bool, barCount: Int) throws -> Encoding {
        var spelled = notes.filter { configuration.pitches.contains($0.pitch) }.map(spell)
        let skipped = notes.count - spelled.count
        if sorting || configuration.removesDuplicatedNotes {
            spelled.sort(by: SpelledNote.precedes)
        }
        if configuration.removesDuplicatedNotes {
            spelled = withoutDuplicates(spelled)
        }
        guard let last = spelled.last else { throw TokenizerError.noNotes }
        let barCount = max(barCount, last.step / grid.stepsPerBar + 1)
        guard barCount <= Self.largestBarCount else {
            throw TokenizerError.tooLong(bars: barCount, limit: Self.largestBarCount)
        }
        var ids: [Int] = []
        var steps: [Int] = []
        ids.reserveCapacity(spelled.count * 4 + barCount)
        steps.reserveCapacity(spelled.count * 4 + barCount)
        var barStarts: [Int] = []
        barStarts.reserveCapacity(barCount)
        func append(_ id: Int, at step: Int) {
            ids.append(id)
            steps.append(step)
        }
        func beginBars(upTo count: Int) {
            while barStarts.count < count {
                barStarts.append(ids.count)
                append(vocabulary.barID, at: (barStarts.count - 1) * grid.stepsPerBar)
            }
        }
        var step = -1
        for note in spelled {
            if note.step != step {
                beginBars(upTo: note.step / grid.stepsPerBar + 1)
                append(vocabulary.firstPositionID + note.step % grid.stepsPerBar, at: note.step)
                step = note.step
            }
            append(vocabulary.firstPitchID + note.pitch - configuration.pitches.lowerBound, at: note.step)
            if configuration.usesVelocities {
                append(vocabulary.firstVelocityID + note.velocity, at: note.step)
            }
            append(vocabulary.firstDurationID + note.duration, at: note.step)
        }
        beginBars(upTo: barCount)
        return Encoding(ids: ids, steps: steps, barStarts: barStarts, grid: grid, skippedNotes: skipped)
    }

    private func spell(_ note: GridNote) -> SpelledNote {
        SpelledNote(
            step: note.step, pitch: note.pitch, duration: nearestIndex(of: note.duration, in: vocabulary.durations),
            velocity: configuration.usesVelocities ? nearestIndex(of: note.velocity, in: vocabulary.velocities) : 0)
    }

    /// ticks · stepsPerBeat / division, rounded to the nearest whole number, halves up.
    private func rounded(_ ticks: Int, division: Int) -> Int {
        (2 * ticks * configuration.stepsPerBeat + division) / (2 * division)
    }

    /// Of sorted notes, the first of those with equal step and pitch.
    private func withoutDuplicates(_ notes: [SpelledNote]) -> [SpelledNote] {
        var kept: [SpelledNote] = []
        for note in notes where kept.last?.step != note.step || kept.last?.pitch != note.pitch {
            kept.append(note)
        }
        return kept
    }

    /// The index of the value nearest to `value` among ascending ones, the greater of two equally near.
    private func nearestIndex(of value: Int, in values: [Int]) -> Int {
        var low = 0
        var high = values.count - 1
        while low < high {
            let middle = (low + high) / 2
            if values[middle] < value {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low > 0 && value - values[low - 1] < abs(values[low] - value) ? low - 1 : low
    }
}

/// A note whose duration and velocity are indices into the vocabulary's.
private struct SpelledNote {
    let step: Int
    let pitch: Int
    let duration: Int
    let velocity: Int

    static func precedes(_ a: SpelledNote, _ b: SpelledNote) -> Bool {
        (a.step, a.pitch, a.duration, a.velocity) < (b.step, b.pitch, b.duration, b.velocity)
    }
}
