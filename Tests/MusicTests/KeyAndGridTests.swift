import Music
import Testing

@Suite("Keys and grids")
struct KeyAndGridTests {
    @Test("The key of the pieces", arguments: [("ode", "C:major"), ("prelude", "C:major"), ("round", "G:major")])
    func estimate(piece: String, key: String) throws {
        let notes = try Fixture.midi(piece).notes().notes
        let estimated = Key.estimate(of: notes)
        #expect(estimated.description == key)
        let normal = notes.transposed(by: estimated.shiftToWhiteKeys)
        #expect(Key.estimate(of: normal).shiftToWhiteKeys == 0)
        #expect(zip(notes, normal).allSatisfy { !$0.isDrum || $0 == $1 })
    }

    @Test("Transposing moves the estimate and comes back")
    func transposition() throws {
        let notes = try Fixture.midi("ode").notes().notes
        for semitones in -6...5 {
            let moved = notes.transposed(by: semitones)
            let key = Key.estimate(of: moved)
            #expect(key == Key(tonic: semitones, mode: .major))
            #expect((-5...6).contains(key.shiftToWhiteKeys))
            #expect(moved.transposed(by: key.shiftToWhiteKeys).transposed(by: key.shiftFromWhiteKeys) == moved)
        }
        let edge = [
            Note(tick: 0, duration: 1, pitch: 127, velocity: 1), Note(tick: 0, duration: 1, pitch: 0, velocity: 1),
        ]
        #expect(edge.transposed(by: 3).map(\.pitch) == [118, 3])
        #expect(edge.transposed(by: -3).map(\.pitch) == [124, 9])
    }

    @Test("A minor key is its relative major's scale")
    func minor() throws {
        let pitches = [57, 60, 64, 57, 59, 60, 62, 64, 65, 67, 57, 64, 57]
        let notes = pitches.enumerated().map { Note(tick: $0.offset, duration: 1, pitch: $0.element, velocity: 1) }
        #expect(Key.estimate(of: notes).description == "A:minor")
        #expect(Key.estimate(of: notes.transposed(by: 2)).shiftToWhiteKeys == -2)
        #expect(Key.estimate(of: []) == .cMajor)
    }

    @Test("Keys are read as they are written")
    func parsing() throws {
        for tonic in 0..<12 {
            for mode in Key.Mode.allCases {
                let key = Key(tonic: tonic, mode: mode)
                #expect(try Key(parsing: key.description) == key)
            }
        }
        #expect(try Key(parsing: "a#:Minor") == Key(tonic: 10, mode: .minor))
        #expect(try Key(parsing: "Cb:major").tonic == 11)
        for text in ["", "H:major", "G", "G:dorian", "G##:major", "G:major:x", ":"] {
            #expect(throws: KeyError(text: text)) { try Key(parsing: text) }
        }
    }

    @Test("The phase of a shifted grid is found, and notes fall on its steps", arguments: [-60, -17, 0, 40, 59])
    func phase(shift: Int) {
        let notes = (1...64).map {
            Note(tick: $0 * 120 + shift + ($0 % 3 - 1) * 4, duration: 100, pitch: 60, velocity: 1)
        }
        let grid = BarGrid(aligning: notes, division: 480)
        #expect(abs(grid.phase - Double(shift) / 480) < 0.002 || abs(shift) == 60)
        let steps = notes.map { grid.quantized($0).step }
        #expect(zip(steps, steps.dropFirst()).allSatisfy { $1 == $0 + 1 })
        #expect(steps.allSatisfy { grid.step(ofTick: grid.tick(ofStep: $0)) == $0 })
        #expect(BarGrid.estimatePhase(of: [], division: 480) == 0)
    }

    @Test("Onsets that favour no phase keep the file's own grid", arguments: [160, 60])
    func noPhase(distance: Int) {
        #expect(BarGrid.estimatePhase(of: (0..<192).map { $0 * distance }, division: 480) == 0)
    }

    @Test("A note just before the bar line belongs to the bar that its step begins")
    func bars() {
        let grid = BarGrid(division: 480)
        #expect([0, 1859, 1860, 1919, 1920, 3840].map(grid.bar(ofTick:)) == [1, 1, 2, 2, 2, 3])
        #expect(BarGrid(division: 480, phase: 0.125).step(ofTick: 0) == 0)
        #expect(
            grid.note(GridNote(step: 17, duration: 2, pitch: 60, velocity: 5), track: 2, channel: 3)
                == Note(tick: 2040, duration: 240, pitch: 60, velocity: 5, track: 2, channel: 3))
    }

    /// A bar's whole note in the bass under quarters and eighths, played from any sixteenth of the file's bars.
    @Test(arguments: 0..<16) func barLinesFallOnAccents(_ delay: Int) throws {
        let figure = [(0, 16, 36), (0, 4, 60), (4, 2, 62), (6, 2, 64), (8, 3, 65), (11, 1, 67), (12, 4, 64)]
        let notes = (3..<9).flatMap { bar in
            figure.map { step, duration, pitch in
                Note(tick: 120 * (16 * bar + delay + step) + 7, duration: 120 * duration, pitch: pitch, velocity: 80)
            }
        }
        let plain = BarGrid(aligning: notes, division: 480)
        let grid = plain.barred(by: notes)
        #expect(notes.map { grid.step(ofTick: $0.tick) }.prefix(figure.count).elementsEqual(figure.map(\.0)))
        #expect(grid.barred(by: notes) == grid)
        #expect((plain.step(ofTick: notes[0].tick) % 16 == 0) == (delay == 0))
    }
}
