public import Music

extension Model {
    /// Writes bars of a piece anew.
    ///
    /// Every event outside the bars stays exactly as it is, also when it lies off the grid. The model sees the piece in
    /// its own key, on its aligned grid, through a window of ``windowLength`` tokens with the gap in the middle. The gap has
    /// as many tokens as were there and keeps its Bar tokens; with another number of `tokens`, a grammar draws the Bar
    /// tokens anew, as many as there are bars.
    ///
    /// - Parameters:
    ///   - bars: The bars, from 1, both ends included, in 4/4 on the aligned grid.
    ///   - tokens: The gap's tokens besides its Bar tokens. Where the grammar wants notes in every bar, four for each, or three
    ///     without velocities; if nil, a bar that had no notes keeps none.
    ///   - progress: Called after each step; each call waits for the device.
    /// - Throws: ``PipelineError``, ``ScoreEditError``, ``TokenizerError``, ``GrammarError``, `InfeasibleSequence` for a gap that no
    ///   well-formed tokens fill, ``SamplingError``, or what the backend throws.
    public func infill(
        _ file: MIDIFile, bars: ClosedRange<Int>, tokens: Int? = nil, settings: SamplingSettings,
        progress: ((SamplingProgress) -> Void)? = nil
    ) throws -> [Piece] {
        try requireWindow(tokens: tokens)
        let score = try WhiteKeyScore(file, tokenizer: tokenizer)
        let gap = try file.removingNotes(inBars: bars, on: score.grid)
        let drawsBars = tokens != nil && settings.grammar != nil
        if let tokens, drawsBars {
            try require(tokens: tokens, atLeast: bars.count * (leastBarTokens(settings) - 1), bars: bars.count)
        }
        let masked = try MaskedBars(
            score.encoding, bars: bars, tokens: tokens, mask: mask, bar: id(.bar), keepsBars: !drawsBars,
            limit: Self.windowLength)
        let grammar = try settings.grammar.map {
            try REMIGrammar(
                tokenizer, options: $0, transposition: -score.shift, barCount: drawsBars ? bars.count - 1 : 0,
                allowsPadding: false)
        }
        let draws = try complete(
            masked.window, settings: settings,
            allowed: allowed(padding: false, forbidding: drawsBars ? [] : [id(.bar)]),
            constraint: grammar?.automaton, progress: progress)
        return draws.map { draw in
            let decoding = tokenizer.decode(draw.tokens)
            let notes = decoding.notes
                .map { note in note.moved(bySteps: masked.firstBar * score.grid.stepsPerBar) }
                .transposed(by: -score.shift)
                .filter { bars.contains($0.step / score.grid.stepsPerBar + 1) }
            return Piece(gap, filledWith: notes, draw: draw, settings: settings, report: decoding.report)
        }
    }

    /// Continues a piece. Under a grammar exactly the bars that are asked for come out.
    ///
    /// - Parameters:
    ///   - bars: How many bars to add. Without a grammar, what the model writes beyond them is cut, and if it writes fewer,
    ///     the summary says so.
    ///   - tokens: The tokens to write; as many as the piece's own bars suggest, and a quarter more, if nil. Where the grammar
    ///     wants notes in every bar, five for each, or four without velocities.
    ///   - progress: Called after each step; each call waits for the device.
    /// - Throws: ``PipelineError``, ``ScoreEditError``, ``TokenizerError``, ``GrammarError``, `InfeasibleSequence` for a gap that no
    ///   well-formed tokens fill, ``SamplingError``, or what the backend throws.
    public func extend(
        _ file: MIDIFile, bars: Int, tokens: Int? = nil, settings: SamplingSettings,
        progress: ((SamplingProgress) -> Void)? = nil
    ) throws -> [Piece] {
        guard (1...1024).contains(bars) else {
            throw PipelineError.option(name: "bars", expected: "1 to 1024", found: "\(bars)")
        }
        try requireWindow(tokens: tokens)
        let score = try WhiteKeyScore(file, tokenizer: tokenizer)
        let gap = try file.gapBehind(bars: bars, on: score.grid)
        let known = score.encoding
        let perBar = Double(known.ids.count) / Double(known.barStarts.count)
        let least = bars * leastBarTokens(settings)
        let wanted = tokens ?? max(least, Int((perBar * Double(bars) * 1.25).rounded(.up)))
        try require(tokens: wanted, atLeast: least, bars: bars)
        guard (1..<Self.windowLength).contains(wanted) else {
            throw PipelineError.gapTooLong(bars: gap.bars, tokens: wanted, limit: Self.windowLength - 1)
        }
        // The context starts at a bar; the first new token is one.
        let room = Self.windowLength - wanted
        let firstBar = known.barStarts.firstIndex { known.ids.count - $0 <= room } ?? known.barStarts.count
        let context = known.ids[(known.barStarts.count > firstBar ? known.barStarts[firstBar] : known.ids.count)...]
        let initial = context.map(Int32.init) + [try id(.bar)] + [Int32](repeating: mask, count: wanted - 1)
        let grammar = try settings.grammar.map {
            try REMIGrammar(tokenizer, options: $0, transposition: -score.shift, barCount: bars - 1)
        }
        let draws = try complete(
            initial, settings: settings, allowed: allowed(padding: grammar != nil), constraint: grammar?.automaton,
            progress: progress)
        return draws.map { draw in
            let decoding = tokenizer.decode(draw.tokens)
            let notes = decoding.notes
                .map { note in note.moved(bySteps: firstBar * score.grid.stepsPerBar) }
                .transposed(by: -score.shift)
                .filter { gap.bars.contains($0.step / score.grid.stepsPerBar + 1) }
            var piece = Piece(gap, filledWith: notes, draw: draw, settings: settings, report: decoding.report)
            let written = firstBar + decoding.report.bars - known.barStarts.count
            if written < bars {
                piece.summary.remarks.append(
                    "asked for \(bars) bars, the \(wanted) tokens made \(written); allow more with --tokens")
            }
            return piece
        }
    }
}

extension Model {
    /// The tokens of the shortest bar that may be drawn.
    func leastBarTokens(_ settings: SamplingSettings) -> Int {
        guard settings.grammar?.allowsEmptyBars == false else { return 1 }
        return tokenizer.configuration.usesVelocities ? 5 : 4
    }

    fileprivate func requireWindow(tokens: Int?) throws(PipelineError) {
        guard let tokens, !(1...Self.windowLength).contains(tokens) else { return }
        throw .option(name: "tokens", expected: "1 to \(Self.windowLength)", found: "\(tokens)")
    }

    fileprivate func require(tokens: Int, atLeast least: Int, bars: Int) throws(PipelineError) {
        guard tokens >= least else {
            throw .option(
                name: "tokens",
                expected: "at least \(least) for \(bars) bars with notes, or that empty bars are allowed",
                found: "\(tokens)")
        }
    }
}

/// A piece as the model knows pieces: on its aligned grid, in C major or A minor.
private struct WhiteKeyScore {
    let grid: BarGrid
    let encoding: REMITokenizer.Encoding
    /// Semitones from the piece's key to the model's.
    let shift: Int

    init(_ file: MIDIFile, tokenizer: REMITokenizer) throws {
        let notes = file.notes().pitched
        grid = BarGrid(
            aligning: notes, division: file.division, stepsPerBeat: tokenizer.configuration.stepsPerBeat)
        shift = notes.isEmpty ? 0 : Key.estimate(of: notes).shiftToWhiteKeys
        encoding = try tokenizer.encodeAligned(
            notes.transposed(by: shift), division: file.division, on: grid, barCount: file.barCount(on: grid))
    }
}

/// The window of a piece's tokens in which some bars are masked.
private struct MaskedBars {
    /// The tokens of the window.
    let window: [Int32]
    /// Bars of the piece before the window.
    let firstBar: Int

    init(
        _ encoding: REMITokenizer.Encoding, bars: ClosedRange<Int>, tokens: Int?, mask: Int32, bar: Int32,
        keepsBars: Bool, limit: Int
    ) throws(PipelineError) {
        let counts = bars.map { max(encoding.tokens(ofBar: $0).count - 1, 0) }
        let removed = counts.reduce(0, +)
        let wanted = tokens ?? removed
        guard wanted > 0 else { throw .emptyGap(bars: bars) }
        guard wanted + bars.count <= limit else {
            throw .gapTooLong(bars: bars, tokens: wanted + bars.count, limit: limit)
        }
        // Bars that stay share another number of tokens as the removed ones did, evenly where there were none.
        var filled = keepsBars ? [] : [bar] + [Int32](repeating: mask, count: wanted + bars.count - 1)
        var (seen, given) = (0, 0)
        for count in keepsBars ? counts : [] {
            seen += removed > 0 ? count : 1
            let upTo = wanted * seen / (removed > 0 ? removed : bars.count)
            filled += [bar] + [Int32](repeating: mask, count: upTo - given)
            given = upTo
        }
        let gap =
            encoding.tokens(ofBar: bars.lowerBound).lowerBound..<encoding.tokens(ofBar: bars.upperBound).upperBound
        let room = limit - filled.count
        let behind = min(encoding.ids.count - gap.upperBound, max(room / 2, room - gap.lowerBound))
        let start = encoding.barStarts.firstIndex { $0 >= gap.lowerBound - (room - behind) } ?? 0
        firstBar = min(start, bars.lowerBound - 1)
        let before = encoding.ids[encoding.barStarts[firstBar]..<gap.lowerBound]
        let after = encoding.ids[gap.upperBound..<gap.upperBound + behind]
        window = before.map(Int32.init) + filled + after.map(Int32.init)
    }
}

extension GridNote {
    fileprivate func moved(bySteps steps: Int) -> GridNote {
        GridNote(step: step + steps, duration: duration, pitch: pitch, velocity: velocity)
    }
}

extension Piece {
    /// A piece whose gap is filled with some of the notes.
    fileprivate init(
        _ gap: BarGap, filledWith notes: [GridNote], draw: Draw, settings: SamplingSettings,
        report: REMITokenizer.DecodeReport
    ) {
        let filling = gap.filled(with: notes)
        var summary = Summary(
            draw, settings: settings, report: report, notes: filling.inserted.count, bars: gap.bars.count)
        summary.remarks += filling.remarks
        self.init(file: filling.file, tokens: draw.tokens, summary: summary)
    }
}
