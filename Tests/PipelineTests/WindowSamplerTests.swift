import Pipeline
import Testing

@Suite struct WindowSamplerTests {
    /// Songs whose tokens tell where they are: bar 0 at every fourth token, else 10 · song + position mod 4.
    private static let songs: [[Int32]] = (1...4).map { (song: Int) -> [Int32] in
        (0..<40 * song).map { (position: Int) -> Int32 in
            position % 4 == 0 ? 0 : Int32(10 * song + position % 4)
        }
    }

    private let sampler = WindowSampler(songs, length: 16, bar: 0, pad: 99, seed: 5)

    @Test func windowsStartAtBarsAndAreFull() {
        for step in 0..<50 {
            let window = sampler.window(step: step, sample: step % 3)
            #expect(window.count == 16)
            #expect(window[0] == 0 && !window.contains(99))
        }
    }

    @Test func songsComeInProportionToTheirLengths() {
        var counts = [0, 0, 0, 0]
        for step in 0..<4000 { counts[Int(sampler.window(step: step, sample: 0)[1]) / 10 - 1] += 1 }
        for (song, count) in counts.enumerated() { #expect(abs(count - 400 * (song + 1)) < 100) }
    }

    @Test func startsAreSpreadOverASong() {
        let song = (0..<400).map { (position: Int) -> Int32 in position % 4 == 0 ? 0 : Int32(1 + position / 4) }
        let sampler = WindowSampler([song], length: 16, bar: 0, pad: 999, seed: 1)
        let starts = Set((0..<500).map { sampler.window(step: $0, sample: 1)[1] })
        #expect(starts.count > 80)
    }

    @Test func shortSongsAreFilled() {
        let sampler = WindowSampler([[0, 7, 8]], length: 6, bar: 0, pad: 9, seed: 0)
        #expect(sampler.window(step: 3, sample: 1) == [0, 7, 8, 9, 9, 9])
        #expect(sampler.consecutiveWindows(1) == [[0, 7, 8, 9, 9, 9]])
    }

    /// A million songs of nothing are a token file of 4 MB; only the windows that are asked for are filled.
    @Test func windowsThatAreNotAskedForTakeNoMemory() {
        let songs = [[Int32]](repeating: [], count: 1_000_000)
        let windows = WindowSampler(songs, length: 1 << 16, bar: 0, pad: 9, seed: 0).consecutiveWindows(2)
        #expect(windows == [[Int32]](repeating: [Int32](repeating: 9, count: 1 << 16), count: 2))
    }

    @Test func choicesAreNamedBySeedStepAndSample() {
        let other = WindowSampler(Self.songs, length: 16, bar: 0, pad: 99, seed: 6)
        let windows = { (sampler: WindowSampler) in (0..<20).map { sampler.window(step: $0, sample: 0) } }
        #expect(windows(sampler) == windows(sampler))
        #expect(windows(sampler) != windows(other))
        #expect(sampler.consecutiveWindows(100).count == 2 + 5 + 7 + 10)
    }
}
