import Music

/// The window of a piece's tokens in which those of some bars are masked.
struct MaskedBars {
    /// What becomes of the bar lines in the gap, where the first may fall in with the gap's begin.
    enum Lines {
        /// They stay, and so do the tokens between them.
        case kept
        /// All stay but a first one that ends a bar with tokens: it is drawn, so that it counts on which side of it there are
        /// notes.
        case keptBehindFirst
        /// All are drawn but a first one.
        case drawnBehindFirst
        /// All are drawn, but for a first one with which the piece begins.
        case drawn
    }

    /// The tokens of the window.
    let window: [Int32]
    /// Bars of the piece before the window.
    let firstBar: Int
    /// Masked tokens that are to be Bar.
    let drawnBars: Int

    /// Masks a gap.
    ///
    /// - Parameters:
    ///   - tokens: The gap's tokens besides its Bar tokens; as many as were there if nil.
    ///   - limit: The most tokens of the window.
    init(
        _ encoding: REMITokenizer.Encoding, bars: ClosedRange<Int>, steps: Range<Int>, tokens: Int?, lines: Lines,
        mask: Int32, bar: Int32, limit: Int
    ) throws(PipelineError) {
        let gap = Gap(encoding, steps: steps)
        let wanted = tokens ?? gap.runs.reduce(0, +)
        // The bar that the gap goes on with stays in the window.
        let needed = wanted + gap.lineCount + gap.range.lowerBound - gap.opened
        guard wanted > 0 else { throw .emptyGap(bars: bars) }
        guard needed <= limit else { throw .gapTooLong(bars: bars, tokens: needed, limit: limit) }
        let filled: [Int32]
        switch lines {
        case .kept, .keptBehindFirst:
            let drawsFirst = lines == .keptBehindFirst && gap.endsBarWithTokens
            drawnBars = drawsFirst ? 1 : 0
            filled = gap.filling(wanted, mask: mask, bar: bar, first: drawsFirst ? mask : bar)
        case .drawnBehindFirst, .drawn:
            let keepsFirst = gap.beginsBar && (lines == .drawnBehindFirst || gap.range.lowerBound == 0)
            drawnBars = gap.lineCount - (keepsFirst ? 1 : 0)
            filled = (keepsFirst ? [bar] : []) + [Int32](repeating: mask, count: drawnBars + wanted)
        }
        let context = Self.context(of: gap, in: encoding, room: limit - needed)
        firstBar = context.firstBar
        window = context.before.map(Int32.init) + filled + context.behind.map(Int32.init)
    }

    /// Whole bars around a gap, as far as there is room: half of it behind the gap, or more where the piece begins before.
    private static func context(
        of gap: Gap, in encoding: REMITokenizer.Encoding, room: Int
    ) -> (firstBar: Int, before: ArraySlice<Int>, behind: ArraySlice<Int>) {
        let (ids, starts) = (encoding.ids, encoding.barStarts)
        let behind = min(ids.count - gap.range.upperBound, max(room / 2, room - gap.opened))
        let firstBar = starts.firstIndex { $0 >= gap.opened - (room - behind) } ?? 0
        let last = gap.range.upperBound + behind
        let end = (starts + [ids.count]).last { (gap.range.upperBound...last).contains($0) } ?? last
        return (firstBar, ids[starts[firstBar]..<gap.range.lowerBound], ids[gap.range.upperBound..<end])
    }
}

/// The tokens of some bars among those of a piece.
private struct Gap {
    let range: Range<Int>
    /// Whether the first of them is a bar line.
    let beginsBar: Bool
    /// Where the bar begins that the gap goes on with; its own begin if that is a bar line.
    let opened: Int
    /// Whether a bar line begins the gap behind a bar that has tokens.
    let endsBarWithTokens: Bool
    /// How many tokens there are between the bar lines; the first of them go on with a bar unless one begins there.
    let runs: [Int]

    var lineCount: Int { beginsBar ? runs.count : runs.count - 1 }

    init(_ encoding: REMITokenizer.Encoding, steps: Range<Int>) {
        let range = encoding.tokens(in: steps)
        let bars = encoding.barStarts
        let lines = bars.filter(range.contains)
        let beginsBar = lines.first == range.lowerBound
        let starts = (beginsBar ? [] : [range.lowerBound]) + lines.map { $0 + 1 }
        runs = zip(starts, lines.dropFirst(beginsBar ? 1 : 0) + [range.upperBound]).map { $1 - $0 }
        opened = bars.last { $0 <= range.lowerBound } ?? 0
        let before = bars.last { $0 < range.lowerBound }
        endsBarWithTokens = beginsBar && before.map { $0 + 1 < range.lowerBound } ?? false
        (self.range, self.beginsBar) = (range, beginsBar)
    }

    /// The gap's bar lines with so many masked tokens between them, shared out as the runs were, evenly where there were none.
    func filling(_ count: Int, mask: Int32, bar: Int32, first: Int32) -> [Int32] {
        let removed = runs.reduce(0, +)
        var filled: [Int32] = []
        var (seen, given) = (0, 0)
        for (run, length) in runs.enumerated() {
            seen += removed > 0 ? length : 1
            let upTo = count * seen / (removed > 0 ? removed : runs.count)
            filled += (run > 0 ? [bar] : beginsBar ? [first] : []) + [Int32](repeating: mask, count: upTo - given)
            given = upTo
        }
        return filled
    }
}
