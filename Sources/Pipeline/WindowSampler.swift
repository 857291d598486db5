import ComputeCore
public import Diffusion

/// Chooses the windows that a model is trained on: full ones that start at a bar.
public struct WindowSampler: Sendable {
    private let songs: [[Int32]]
    private let starts: [[Int]]
    private let ends: [Int]
    private let length: Int
    private let bar: Int32
    private let pad: Int32
    private let seed: UInt64

    /// A sampler over songs, in proportion to their lengths.
    ///
    /// - Parameters:
    ///   - songs: Token ids of each song.
    ///   - length: Tokens of a window.
    ///   - bar: The id at which a window starts.
    ///   - pad: The id that fills windows of songs that are shorter.
    ///   - seed: Names every choice.
    public init(_ songs: [[Int32]], length: Int, bar: Int32, pad: Int32, seed: UInt64) {
        self.songs = songs
        self.length = length
        self.bar = bar
        self.pad = pad
        self.seed = seed
        starts = songs.map { Self.starts(of: $0, length: length, bar: bar) }
        ends = songs.reduce(into: []) { ends, song in ends.append((ends.last ?? 0) + song.count) }
    }

    /// The bars at which a window that is full can start; the song's beginning if there is none.
    private static func starts(of song: [Int32], length: Int, bar: Int32) -> [Int] {
        let bars = song.indices.filter { song[$0] == bar && $0 + length <= song.count }
        return bars.isEmpty ? [0] : bars
    }

    /// Window `sample` of a step.
    public func window(step: Int, sample: Int) -> [Int32] {
        let token = Philox.index(draw(0, step, sample), below: ends.last ?? 1)
        let song = ends.firstIndex { $0 > token } ?? 0
        let start = starts[song][Philox.index(draw(1, step, sample), below: starts[song].count)]
        return padded(songs[song][start...].prefix(length))
    }

    /// The sweep that leaves window `sample` of a step as training masks it.
    ///
    /// A `share` of the windows have one, of a strength that is uniform in [0, 1): half of them over the tokens as they come,
    /// which is what a chain sees that writes a piece or goes on with one; half over whole bars in an order that is drawn, so
    /// that there are known bars on both sides of others, as when bars are filled (whose Bar tokens, though, are known then).
    ///
    /// - Parameters:
    ///   - window: What ``window(step:sample:)`` gave.
    ///   - share: Of the windows, in [0, 1].
    /// - Returns: The sweep, and for each token its place in it.
    public func sweep(of window: [Int32], share: Double, step: Int, sample: Int) -> (sweep: Sweep, places: [Double]) {
        guard UInt64(draw(2, step, sample)) < Philox.threshold(probability: share) else {
            return (.none, window.map { _ in 0 })
        }
        let starts = [0] + window.indices.dropFirst().filter { window[$0] == bar }
        var bars = zip(starts, starts.dropFirst() + [window.count]).map { $0..<$1 }
        if draw(4, step, sample) < 1 << 31 {
            let keys = bars.indices.map { draw(5 + UInt32($0), step, sample) }
            bars = bars.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.map { bars[$0] }
        }
        var places = [Double](repeating: 0, count: window.count)
        for (rank, position) in bars.joined().enumerated() {
            places[position] = (Double(rank) + 0.5) / Double(window.count)
        }
        return (Sweep(draw: draw(3, step, sample)), places)
    }

    /// A window's draws: 0 song, 1 start, 2 whether it is swept, 3 the strength, 4 whether in another order, from 5 on one for
    /// each bar.
    private func draw(_ part: UInt32, _ step: Int, _ sample: Int) -> UInt32 {
        Philox.draw(
            seed: seed, purpose: .window, position: part, step: UInt32(truncatingIfNeeded: step), sample: UInt32(sample)
        )
    }

    /// At most `count` of the songs' windows, evenly spaced: every full one from a song's beginning on, and the first one
    /// of a shorter song filled with PAD.
    public func consecutiveWindows(_ count: Int) -> [[Int32]] {
        let places = songs.indices.flatMap { song in
            stride(from: 0, through: max(songs[song].count - length, 0), by: length).map { (song: song, start: $0) }
        }
        return places.spread(count).map { padded(songs[$0.song][$0.start...].prefix(length)) }
    }

    private func padded(_ tokens: ArraySlice<Int32>) -> [Int32] {
        tokens + [Int32](repeating: pad, count: length - tokens.count)
    }
}
