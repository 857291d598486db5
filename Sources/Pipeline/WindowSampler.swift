import ComputeCore

/// Chooses the windows that a model is trained on: full ones that start at a bar.
public struct WindowSampler: Sendable {
    private let songs: [[Int32]]
    private let starts: [[Int]]
    private let ends: [Int]
    private let length: Int
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
        /// A number below `count`.
        func draw(_ part: UInt32, below count: Int) -> Int {
            let draw = Philox.draw(
                seed: seed, purpose: .window, position: part, step: UInt32(truncatingIfNeeded: step),
                sample: UInt32(sample))
            return Philox.index(draw, below: count)
        }
        let token = draw(0, below: ends.last ?? 1)
        let song = ends.firstIndex { $0 > token } ?? 0
        let start = starts[song][draw(1, below: starts[song].count)]
        return padded(songs[song][start...].prefix(length))
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
