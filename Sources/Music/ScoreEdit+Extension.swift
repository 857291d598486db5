extension MIDIFile {
    /// Bars behind the last one, ready for notes: a gap from which nothing was taken.
    ///
    /// New notes go to the first track with pitched notes, on the channel of its first.
    ///
    /// - Parameters:
    ///   - bars: How many bars, at least 1.
    ///   - grid: The grid of the bars.
    /// - Throws: ``ScoreEditError/noNotes`` where the piece has none.
    public func gapBehind(bars: Int, on grid: BarGrid) throws(ScoreEditError) -> BarGap {
        let count = barCount(on: grid)
        guard let host = notes().pitched.min(by: { ($0.track, $0.tick) < ($1.track, $1.tick) }), count > 0 else {
            throw ScoreEditError.noNotes
        }
        return BarGap(
            file: self, bars: count + 1...count + max(bars, 1), grid: grid, removed: [], track: host.track,
            channel: host.channel)
    }
}
