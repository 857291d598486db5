import Diffusion
public import Music

extension RollModel {
    /// Adds a voice of further notes to a melody.
    ///
    /// Every event of the file stays as it is; the new notes form a track of their own. The model sees the piece in its own key,
    /// on its aligned grid of sixteenths. A piece longer than the model's window is drawn in windows that overlap by a half.
    ///
    /// - Parameters:
    ///   - progress: Called after each step; each call waits for the device.
    /// - Throws: ``PipelineError``, ``ScoreEditError``, ``SamplingError``, or what the backend throws.
    public func harmonise(
        _ file: MIDIFile, settings: RollSettings, progress: ((SamplingProgress) -> Void)? = nil
    ) throws -> [Piece] {
        let score = try RollScore(file)
        let roll = PartialRoll(cells: score.roll.cells, known: score.roll.cells, freeSteps: 0..<score.roll.steps)
        return try complete(roll, settings: settings, progress: progress).map { draw in
            let notes = score.notes(of: draw, without: score.roll, loudness: 0.8)
            return Piece(
                file.addingVoice(notes, on: score.grid, named: "HARMONY"), draw: draw, settings: settings,
                bars: score.bars, remarks: score.remarks)
        }
    }

    /// Writes bars of a piece anew. Every event outside the bars stays as it is.
    ///
    /// - Parameters:
    ///   - bars: The bars, from 1, both ends included, in 4/4 on the aligned grid.
    ///   - progress: Called after each step; each call waits for the device.
    /// - Throws: ``PipelineError``, ``ScoreEditError``, ``SamplingError``, or what the backend throws.
    public func complete(
        _ file: MIDIFile, bars: ClosedRange<Int>, settings: RollSettings,
        progress: ((SamplingProgress) -> Void)? = nil
    ) throws -> [Piece] {
        let score = try RollScore(file)
        let gap = try file.removingNotes(inBars: bars, on: score.grid)
        let kept = score.roll(of: gap.file)
        let free = (bars.lowerBound - 1) * score.grid.stepsPerBar..<bars.upperBound * score.grid.stepsPerBar
        var known = [Bool](repeating: true, count: kept.cells.count)
        for cell in free.cells { known[cell] = kept.cells[cell] }
        let roll = PartialRoll(cells: kept.cells, known: known, freeSteps: free)
        return try complete(roll, settings: settings, progress: progress).map { draw in
            let notes = score.notes(of: draw, without: kept, loudness: 1).filter { free.contains($0.step) }
            return Piece(
                gap.filled(with: notes), draw: draw, settings: settings, bars: bars.count, remarks: score.remarks)
        }
    }

    /// Varies a piece: noise up to a time, and back. A note whose onset comes back stays as it was, tick for tick.
    ///
    /// - Parameters:
    ///   - strength: The time, 0...1: 0 returns the file, 1 writes a new piece.
    ///   - progress: Called after each step; each call waits for the device.
    /// - Throws: ``PipelineError``, ``ScoreEditError``, ``SamplingError``, or what the backend throws.
    public func vary(
        _ file: MIDIFile, strength: Double, settings: RollSettings,
        progress: ((SamplingProgress) -> Void)? = nil
    ) throws -> [Piece] {
        guard (0...1).contains(strength) else {
            throw PipelineError.option(name: "strength", expected: "0 to 1", found: "\(strength)")
        }
        try settings.validate()
        let score = try RollScore(file)
        var roll = PartialRoll(
            cells: score.roll.cells, known: [Bool](repeating: false, count: score.roll.cells.count),
            freeSteps: 0..<score.roll.steps)
        roll.start = strength
        let draws =
            strength > 0
            ? try complete(roll, settings: settings, progress: progress)
            : (0..<settings.count).map { Draw(cells: roll.cells, sample: settings.firstSample + $0) }
        let before = Set(score.roll.notes(velocity: 1).map(Onset.init))
        return try draws.map { draw in
            let drawn = PianoRoll(cells: draw.cells).notes(velocity: 1)
            let after = Set(drawn.map(Onset.init))
            let gap = try file.removingNotes(on: score.grid) { note in
                let onset = Onset(step: score.grid.step(ofTick: note.tick), pitch: score.modelPitch(of: note))
                return before.contains(onset) && !after.contains(onset)
            }
            let new = score.fileNotes(drawn.filter { !before.contains(Onset($0)) }, loudness: 1)
            return Piece(
                gap.filled(with: new), draw: draw, settings: settings, bars: score.bars, remarks: score.remarks)
        }
    }
}

/// What makes two notes of a roll the same one, however long they last.
private struct Onset: Hashable {
    let step: Int
    let pitch: Int

    init(step: Int, pitch: Int) {
        self.step = step
        self.pitch = pitch
    }

    init(_ note: GridNote) { self.init(step: note.step, pitch: note.pitch) }
}

/// A piece as the model knows pieces: on its aligned grid, in C major or A minor.
private struct RollScore {
    let grid: BarGrid
    let roll: PianoRoll
    let bars: Int
    /// What the caller should know.
    let remarks: [String]
    /// Semitones from the piece's key to the model's.
    private let shift: Int
    private let velocity: Double

    init(_ file: MIDIFile) throws(ScoreEditError) {
        let notes = file.notes().pitched
        grid = BarGrid(aligning: notes, division: file.division)
        bars = try file.rollBarCount(on: grid)
        shift = Key.estimate(of: notes).shiftToWhiteKeys
        velocity = notes.reduce(0) { $0 + Double($1.velocity) } / Double(notes.count)
        roll = Self.roll(notes, grid: grid, shift: shift, bars: bars)
        remarks =
            roll.skipped == 0
            ? []
            : [
                "\(roll.skipped) notes outside the keys of a piano (\(PianoRoll.lowestPitch) to "
                    + "\(PianoRoll.lowestPitch + PianoRoll.pitchCount - 1)) were kept but not seen by the model"
            ]
    }

    private static func roll(_ notes: [Note], grid: BarGrid, shift: Int, bars: Int) -> PianoRoll {
        PianoRoll(notes.transposed(by: shift).map(grid.quantized), steps: bars * grid.stepsPerBar)
    }

    /// The roll of what is left of the piece.
    func roll(of file: MIDIFile) -> PianoRoll { Self.roll(file.notes().pitched, grid: grid, shift: shift, bars: bars) }

    /// The pitch at which the model sees a note of the file.
    func modelPitch(of note: Note) -> Int { [note].transposed(by: shift)[0].pitch }

    /// The notes of a drawn roll that do not touch those of another: a voice never strikes or holds a key of the other.
    func notes(of draw: RollModel.Draw, without other: PianoRoll, loudness: Double) -> [GridNote] {
        fileNotes(PianoRoll(cells: draw.cells).silencing(other).notes(velocity: 1), loudness: loudness)
    }

    /// Notes in the piece's key and at its loudness.
    func fileNotes(_ notes: [GridNote], loudness: Double) -> [GridNote] {
        let level = min(max(Int((velocity * loudness).rounded()), 1), 127)
        return notes.map { note in
            GridNote(step: note.step, duration: note.duration, pitch: note.pitch, velocity: level)
        }
        .transposed(by: -shift)
        .sorted { ($0.step, $0.pitch) < ($1.step, $1.pitch) }
    }
}

extension Piece {
    fileprivate init(
        _ filling: BarGap.Filling, draw: RollModel.Draw, settings: RollSettings, bars: Int, remarks: [String]
    ) {
        self.init(
            file: filling.file, tokens: [],
            summary: Summary(
                sample: draw.sample, seed: settings.seed, notes: filling.inserted.count, bars: bars, skippedTokens: 0,
                networkCalls: draw.networkCalls, nearTies: draw.nearTies, remarks: remarks + filling.remarks))
    }
}

extension BarGap.Filling {
    /// What the caller should know.
    var remarks: [String] {
        skipped > 0 ? ["\(skipped) new notes were left out: their key was already sounding"] : []
    }
}
