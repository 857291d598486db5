import Music
import Testing

@Suite("Editing bars")
struct BarEditTests {
    private struct Round {
        let file: MIDIFile
        let grid: BarGrid

        init() throws {
            file = try Fixture.midi("round")
            grid = BarGrid(aligning: file.notes().pitched, division: file.division)
        }
    }

    private func untouched(_ file: MIDIFile, bars: ClosedRange<Int>, grid: BarGrid) -> [Note] {
        file.notes().notes.filter { $0.isDrum || !bars.contains(grid.bar(ofTick: $0.tick)) }
    }

    private func isNoteEvent(_ event: MIDIEvent) -> Bool {
        switch event.message {
        case .noteOn, .noteOff: true
        default: false
        }
    }

    @Test("Taking notes out leaves every other event as it was")
    func removal() throws {
        let round = try Round()
        #expect(abs(round.grid.phase - 40.0 / 480) < 0.01)
        let gap = try round.file.removingNotes(inBars: 3...4, on: round.grid)
        #expect(!gap.removed.isEmpty)
        #expect(gap.removed.allSatisfy { (3...4).contains(round.grid.bar(ofTick: $0.tick)) && !$0.isDrum })
        #expect(gap.file.notes().notes == untouched(round.file, bars: 3...4, grid: round.grid))
        #expect(gap.track == 1 && gap.channel == 0)
        for (before, after) in zip(round.file.tracks, gap.file.tracks) {
            #expect(before.events.filter { !isNoteEvent($0) } == after.events.filter { !isNoteEvent($0) })
            #expect(before.endTick == after.endTick)
        }
        #expect(gap.file.tracks[0] == round.file.tracks[0] && gap.file.tracks[2] == round.file.tracks[2])
    }

    @Test("New notes leave every other note as it was, also on keys that sound across the gap")
    func filling() throws {
        let round = try Round()
        let gap = try round.file.removingNotes(inBars: 3...4, on: round.grid)
        // Every pitch at every half beat, each for a bar and a half: wherever a conflict is possible, it happens.
        let notes = stride(from: 16, to: 80, by: 2).flatMap { step in
            (55...79).map { GridNote(step: step, duration: 24, pitch: $0, velocity: 70) }
        }
        let filling = gap.filled(with: notes)
        let result = filling.file.notes()
        #expect(result.warnings.isEmpty)
        #expect(filling.inserted.count + filling.skipped == notes.count)
        #expect(filling.shortened > 0 && filling.skipped >= notes.count / 2)
        #expect(filling.inserted.allSatisfy { (3...4).contains(round.grid.bar(ofTick: $0.tick)) })
        let kept = untouched(round.file, bars: 3...4, grid: round.grid)
        #expect(Set(result.notes) == Set(kept + filling.inserted))
        #expect(result.notes.count == kept.count + filling.inserted.count)
        let copy = try MIDIFile.read(filling.file.serialized()).file
        #expect(copy == filling.file)
    }

    @Test("Filling a gap with the grid's own notes gives the tokens back")
    func identity() throws {
        let ode = try Fixture.midi("ode")
        let tokenizer = REMITokenizer()
        let before = try tokenizer.encodeAligned(ode.notes().notes, division: ode.division)
        let gap = try ode.removingNotes(inBars: 2...3, on: before.grid)
        let filling = gap.filled(with: tokenizer.decode(before.ids).notes)
        #expect(filling.inserted.count == gap.removed.count)
        let after = try tokenizer.encodeAligned(filling.file.notes().notes, division: ode.division, on: before.grid)
        #expect(after.barStarts == before.barStarts)
        for bar in 1...8 {
            let range = before.tokens(ofBar: bar)
            #expect(after.ids.count == before.ids.count)
            if !(2...3).contains(bar) { #expect(after.ids[range] == before.ids[range], "bar \(bar)") }
        }
        #expect(before.tokens(ofBar: 9).isEmpty && before.tokens(ofBar: 0).isEmpty)
    }

    @Test("Notes that MIDI cannot hold, or that lie outside the bars, are left out and counted")
    func impossibleNotes() throws {
        let round = try Round()
        let gap = try round.file.removingNotes(inBars: 2...2, on: round.grid)
        let notes = [
            GridNote(step: 15, duration: 1, pitch: 60, velocity: 70),
            GridNote(step: 32, duration: 1, pitch: 60, velocity: 70),
            GridNote(step: 20, duration: 1, pitch: 128, velocity: 70),
            GridNote(step: 20, duration: 1, pitch: 60, velocity: 0),
            GridNote(step: 20, duration: 1, pitch: 100, velocity: 70),
        ]
        let filling = gap.filled(with: notes)
        #expect(filling.inserted.map(\.pitch) == [100])
        #expect(filling.skipped == 4)
        // Step 20 lies 5 beats and the phase after tick 0.
        #expect(filling.inserted.first?.tick == Int(((5 + round.grid.phase) * 480).rounded()))
    }

    @Test("A key whose strikes and releases do not pair up takes no new notes")
    func unpairedKeys() throws {
        let events: [UInt8] = [0, 0x90, 60, 80, 96, 0x80, 60, 0, 0, 0x90, 62, 80]
        let file = try MIDIFile.read(MIDIBytes.file(events)).file
        let gap = try file.removingNotes(inBars: 1...1, on: BarGrid(division: 480))
        let filling = gap.filled(with: [60, 62].map { GridNote(step: 1, duration: 1, pitch: $0, velocity: 9) })
        #expect(filling.inserted.map(\.pitch) == [60])
    }

    @Test("Bars outside the piece are refused with the bars there are")
    func barsOutside() throws {
        let round = try Round()
        let count = round.file.barCount(on: round.grid)
        #expect(throws: ScoreEditError.barsOutside(bars: 0...1, count: count)) {
            try round.file.removingNotes(inBars: 0...1, on: round.grid)
        }
        #expect(throws: ScoreEditError.barsOutside(bars: 2...(count + 1), count: count)) {
            try round.file.removingNotes(inBars: 2...(count + 1), on: round.grid)
        }
        let drums = MIDIFile(division: 480, tracks: [round.file.tracks[2]])
        #expect(throws: ScoreEditError.noNotes) { try drums.removingNotes(inBars: 1...1, on: round.grid) }
    }
}
