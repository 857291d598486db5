import ComputeCore
public import Music

extension TokenModel {
    /// Writes bars of a piece anew.
    ///
    /// Every event outside the bars stays exactly as it is, also when it lies off the grid. The model sees the piece as in
    /// training: in its own key, and with the bar lines of ``BarGrid/barred(by:)``, which need not be those by which the bars are
    /// counted; a note that it writes outside them is left out. Its window of ``windowLength`` tokens has the gap in the
    /// middle. The gap has as many tokens as were there and keeps its Bar tokens; with another number of `tokens`, a grammar
    /// draws the Bar tokens anew, as many as there are bars.
    ///
    /// - Parameters:
    ///   - bars: The bars, from 1, both ends included, in 4/4 on the aligned grid.
    ///   - tokens: The gap's tokens besides its Bar tokens. Where the grammar wants notes in every bar, at least four for each,
    ///     or three without velocities. If nil, each of the model's bars has as many as it had, but that the first may share
    ///     its own with the one before. One that had no notes keeps none, and so may one of the file's bars that shares it.
    ///   - progress: Called after each step; each call waits for the device.
    /// - Throws: ``PipelineError``, ``ScoreEditError``, ``TokenizerError``, ``GrammarError``, `InfeasibleSequence` where the grammar
    ///   refuses given tokens, ``SamplingError``, or what the backend throws.
    public func infill(
        _ file: MIDIFile, bars: ClosedRange<Int>, tokens: Int? = nil, settings: SamplingSettings,
        progress: ((SamplingProgress) -> Void)? = nil
    ) throws -> [Piece] {
        try requireWindow(tokens: tokens)
        guard bars.upperBound <= REMITokenizer.largestBarCount else {
            throw PipelineError.option(
                name: "bars", expected: "at most \(REMITokenizer.largestBarCount)", found: "\(bars.upperBound)")
        }
        let score = try WhiteKeyScore(file, tokenizer: tokenizer, showing: bars.lowerBound)
        let gap = try file.removingNotes(inBars: bars, on: score.grid)
        let drawsBars = tokens != nil && settings.grammar != nil
        if let tokens, drawsBars {
            try require(tokens: tokens, atLeast: bars.count * (leastBarTokens(settings) - 1), bars: bars.count)
        }
        // Where the file's bars begin within the model's, notes may have to come before the gap's first line.
        let drawsFirst = settings.grammar != nil && score.barOffset > 0
        let lines: MaskedBars.Lines =
            drawsBars
            ? (drawsFirst ? .drawn : .drawnBehindFirst) : (drawsFirst ? .keptBehindFirst : .kept)
        let masked = try MaskedBars(
            score.encoding, bars: bars, steps: score.steps(ofBars: bars), tokens: tokens, lines: lines, mask: mask,
            bar: id(.bar), limit: Self.windowLength)
        let grammar = try settings.grammar.map {
            try REMIGrammar(
                tokenizer, options: $0, transposition: -score.shift, barCount: masked.drawnBars,
                barOffset: $0.allowsEmptyBars ? 0 : score.barOffset, allowsPadding: false)
        }
        let draws = try fillGap(bars: bars, tokens: tokens) {
            try complete(
                masked.window, settings: settings,
                allowed: allowed(padding: false, forbidding: masked.drawnBars > 0 ? [] : [id(.bar)]),
                constraint: grammar?.automaton, progress: progress)
        }
        return draws.map { draw in
            let decoding = tokenizer.decode(draw.tokens)
            let notes = score.notes(decoding.notes, behindBars: masked.firstBar, inBars: bars)
            return Piece(
                gap, filledWith: notes, draw: draw, settings: settings, report: decoding.report,
                hint: tokens == nil ? "; with --tokens every bar gets some" : "")
        }
    }

    /// Continues a piece. Under a grammar exactly the bars that are asked for come out.
    ///
    /// What the model writes beyond them is cut. The model sees the piece as ``infill(_:bars:tokens:settings:progress:)`` tells.
    ///
    /// - Parameters:
    ///   - bars: How many bars to add. Without a grammar the model may write fewer, and the summary says so.
    ///   - tokens: The tokens to write; as many as the piece's own bars suggest, and a quarter more, if nil. Where the grammar
    ///     wants notes in every bar, five for each, or four without velocities.
    ///   - progress: Called after each step; each call waits for the device.
    /// - Throws: ``PipelineError``, ``ScoreEditError``, ``TokenizerError``, ``GrammarError``, ``SamplingError``, or what the
    ///   backend throws.
    public func extend(
        _ file: MIDIFile, bars: Int, tokens: Int? = nil, settings: SamplingSettings,
        progress: ((SamplingProgress) -> Void)? = nil
    ) throws -> [Piece] {
        guard (1...1024).contains(bars) else {
            throw PipelineError.option(name: "bars", expected: "1 to 1024", found: "\(bars)")
        }
        try requireWindow(tokens: tokens)
        let score = try WhiteKeyScore(file, tokenizer: tokenizer, showing: REMITokenizer.largestBarCount)
        let gap = try file.gapBehind(bars: bars, on: score.grid)
        let known = score.encoding
        // Behind a whole bar the next begins; else the last bar goes on, and as many bar lines are crossed.
        let beginsBar = score.barOffset == 0
        let opened = beginsBar ? 0 : known.tokens(ofBar: known.barStarts.count).count
        let perBar = Double(known.ids.count) / Double(known.barStarts.count)
        // Where the bar that goes on has no notes yet, it gets some.
        let least = bars * leastBarTokens(settings) + (opened == 1 ? leastBarTokens(settings) - 1 : 0)
        let touched = Double(beginsBar ? bars : bars + 1)
        let wanted = tokens ?? max(least, Int((perBar * touched * 1.25).rounded(.up)))
        try require(tokens: wanted, atLeast: least, bars: bars)
        let limit = max(Self.windowLength - opened - 1, 0)
        guard wanted <= limit else { throw PipelineError.gapTooLong(bars: gap.bars, tokens: wanted, limit: limit) }
        // The context starts at a bar.
        let room = Self.windowLength - wanted
        let firstBar = known.barStarts.firstIndex { known.ids.count - $0 <= room } ?? known.barStarts.count
        let context = known.ids[(known.barStarts.count > firstBar ? known.barStarts[firstBar] : known.ids.count)...]
        let begun = beginsBar ? [try id(.bar)] : []
        let initial = context.map(Int32.init) + begun + [Int32](repeating: mask, count: wanted - begun.count)
        let grammar = try settings.grammar.map {
            // Bars behind those that are asked for take the tokens that are left over, and are cut, as the last one is where the
            // file's bar ends.
            try REMIGrammar(
                tokenizer, options: $0, transposition: -score.shift, barCount: bars - begun.count, allowsMoreBars: true,
                barOffset: score.barOffset)
        }
        let draws = try fillGap(bars: gap.bars, tokens: wanted) {
            try complete(
                initial, settings: settings, allowed: allowed(padding: grammar != nil), constraint: grammar?.automaton,
                progress: progress)
        }
        return draws.map { draw in
            let decoding = tokenizer.decode(draw.tokens)
            let notes = score.notes(decoding.notes, behindBars: firstBar, inBars: gap.bars)
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

extension TokenModel {
    /// The tokens of the shortest bar that may be drawn.
    func leastBarTokens(_ settings: SamplingSettings) -> Int {
        guard settings.grammar?.allowsEmptyBars == false else { return 1 }
        return tokenizer.configuration.usesVelocities ? 5 : 4
    }

    fileprivate func requireWindow(tokens: Int?) throws(PipelineError) {
        guard let tokens, !(1...Self.windowLength).contains(tokens) else { return }
        throw .option(name: "tokens", expected: "1 to \(Self.windowLength)", found: "\(tokens)")
    }

    /// The draws of a window with one gap; where nothing well-formed fills it, the error counts tokens as the caller did.
    ///
    /// - Parameter tokens: The tokens of the gap as they were asked for, nil for as many as each bar had.
    fileprivate func fillGap(bars: ClosedRange<Int>, tokens: Int?, draw: () throws -> [Draw]) throws -> [Draw] {
        do {
            return try draw()
        } catch let error as InfeasibleSequence where !error.open.isEmpty {
            let others = tokens.map { tokens in error.possible.map { $0 + tokens - error.open.count } } ?? []
            throw PipelineError.unfillableGap(
                bars: bars, tokens: tokens, possible: others.filter((1...Self.windowLength).contains))
        }
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

extension Piece {
    /// A piece whose gap is filled with some of the notes.
    ///
    /// - Parameter hint: What to do about bars that should have got notes and have none.
    fileprivate init(
        _ gap: BarGap, filledWith notes: [GridNote], draw: Draw, settings: SamplingSettings,
        report: REMITokenizer.DecodeReport, hint: String = ""
    ) {
        let filling = gap.filled(with: notes)
        let empty = Set(gap.bars).subtracting(filling.inserted.map { gap.grid.bar(ofTick: $0.tick) }).sorted()
        var summary = Summary(
            draw, settings: settings, report: report, notes: filling.inserted.count, bars: gap.bars.count)
        summary.remarks += filling.remarks
        if settings.grammar?.allowsEmptyBars == false, !empty.isEmpty {
            summary.remarks.append("no notes in bar \(empty.map(String.init).joined(separator: ", "))\(hint)")
        }
        self.init(file: filling.file, tokens: draw.tokens, summary: summary)
    }
}
