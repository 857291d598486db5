import Diffusion
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

    /// A share of the windows has a sweep, half of them over the tokens as they come, half over whole bars in another order.
    @Test func windowsAreSwept() {
        var (strengths, ordered) = ([Double](), 0)
        let inOrder = (0..<16).map { (Double($0) + 0.5) / 16 }
        for step in 0..<2000 {
            let window = sampler.window(step: step, sample: 1)
            let (sweep, places) = sampler.sweep(of: window, share: 0.75, step: step, sample: 1)
            #expect(sampler.sweep(of: window, share: 0, step: step, sample: 1).sweep == .none)
            guard sweep != .none else { continue }
            #expect(places.sorted() == inOrder)
            for bar in stride(from: 0, to: 16, by: 4) {
                for token in 1..<4 { #expect(places[bar + token] - places[bar] == Double(token) / 16) }
            }
            strengths.append(sweep.strength)
            ordered += places == inOrder ? 1 : 0
        }
        #expect(abs(strengths.count - 1500) < 80)
        #expect(abs(strengths.reduce(0, +) / Double(strengths.count) - 0.5) < 0.03)
        // One order of four bars in 24 is the one in which they come.
        #expect(abs(ordered - 750 - 750 / 24) < 90)
    }

    /// What comes before the first Bar, and PAD behind the last, belongs to a bar.
    @Test func everyTokenHasAPlace() {
        let window: [Int32] = [7, 8, 0, 7, 7, 7, 0, 8, 99, 99]
        for step in 0..<50 {
            let places = sampler.sweep(of: window, share: 1, step: step, sample: 0).places
            #expect(places.sorted() == (0..<10).map { (Double($0) + 0.5) / 10 })
            for bar in [0..<2, 2..<6, 6..<10] { #expect(Array(places[bar]) == places[bar].sorted()) }
        }
    }

    @Test func shortSongsAreFilled() {
        let sampler = WindowSampler([[0, 7, 8]], length: 6, bar: 0, pad: 9, seed: 0)
        #expect(sampler.window(step: 3, sample: 1) == [0, 7, 8, 9, 9, 9])
        #expect(sampler.consecutiveWindows(1) == [[0, 7, 8, 9, 9, 9]])
    }

    /// ⌊i · 15 / count⌋, also where there are fewer than twice as many windows as are wanted.
    @Test(arguments: [
        (3, [0, 5, 10]), (4, [0, 3, 7, 11]), (8, [0, 1, 3, 5, 7, 9, 11, 13]), (15, Array(0..<15)), (16, Array(0..<15)),
    ])
    func consecutiveWindowsAreSpreadOverTheSongs(_ count: Int, _ songs: [Int32]) {
        let sampler = WindowSampler((0..<15).map { [$0, 90] }, length: 2, bar: 0, pad: 99, seed: 0)
        #expect(sampler.consecutiveWindows(count).map(\.[0]) == songs)
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
