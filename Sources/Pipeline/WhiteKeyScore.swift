import Music

/// A piece as the model knows pieces: in C major or A minor, with bar lines where its accents are.
struct WhiteKeyScore {
    /// The grid of the file's own bars.
    let grid: BarGrid
    let encoding: REMITokenizer.Encoding
    /// Semitones from the piece's key to the model's.
    let shift: Int
    /// Steps from the model's first bar line to the file's.
    private let lead: Int

    /// The score of a file.
    ///
    /// - Parameter first: The first of the file's bars that must lie behind the model's first bar line; empty bars in front are
    ///   left out.
    init(_ file: MIDIFile, tokenizer: REMITokenizer, showing first: Int) throws {
        let notes = file.notes().pitched
        let grid = BarGrid(
            aligning: notes, division: file.division, stepsPerBeat: tokenizer.configuration.stepsPerBeat)
        let perBar = grid.stepsPerBar
        let accented = grid.stepsToAccents(of: notes)
        let missing = (max(0, -accented - (first - 1) * perBar) + perBar - 1) / perBar
        lead = accented + missing * perBar
        self.grid = grid
        shift = notes.isEmpty ? 0 : Key.estimate(of: notes).shiftToWhiteKeys
        encoding = try tokenizer.encodeAligned(
            notes.transposed(by: shift), division: file.division,
            on: grid.moved(bySteps: lead), barCount: (file.barCount(on: grid) * perBar + lead + perBar - 1) / perBar)
    }

    /// The step of the model's bars at which the file's begin.
    var barOffset: Int { (lead % grid.stepsPerBar + grid.stepsPerBar) % grid.stepsPerBar }

    /// The model's steps of the file's bars; whatever comes before the second bar belongs to the first.
    func steps(ofBars bars: ClosedRange<Int>) -> Range<Int> {
        let start = bars.lowerBound == 1 ? 0 : (bars.lowerBound - 1) * grid.stepsPerBar + lead
        return start..<bars.upperBound * grid.stepsPerBar + lead
    }

    /// Those of the model's notes that lie in the file's bars, on the file's steps and in its key.
    func notes(_ notes: [GridNote], behindBars first: Int, inBars bars: ClosedRange<Int>) -> [GridNote] {
        let steps = (bars.lowerBound - 1) * grid.stepsPerBar..<bars.upperBound * grid.stepsPerBar
        return
            notes
            .map { $0.moved(bySteps: first * grid.stepsPerBar - lead) }
            .filter { steps.contains($0.step) }
            .transposed(by: -shift)
    }
}

extension GridNote {
    fileprivate func moved(bySteps steps: Int) -> GridNote {
        GridNote(step: step + steps, duration: duration, pitch: pitch, velocity: velocity)
    }
}
