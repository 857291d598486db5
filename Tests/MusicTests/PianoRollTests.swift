import Music
import Testing

@Suite struct PianoRollTests {
    private func note(_ step: Int, _ duration: Int, _ pitch: Int) -> GridNote {
        GridNote(step: step, duration: duration, pitch: pitch, velocity: 70)
    }

    @Test func notesComeBack() {
        let notes = [note(0, 1, 21), note(0, 4, 60), note(2, 6, 64), note(4, 4, 60), note(9, 3, 108)]
        let roll = PianoRoll(notes, steps: 12)
        #expect(roll.notes(velocity: 70) == notes)
        #expect(PianoRoll(cells: roll.cells) == roll)
        #expect(roll[4, .onset, 60 - 21] && roll[3, .sounding, 60 - 21] && !roll[3, .onset, 60 - 21])
    }

    /// A repeated note survives, one that is struck while it sounds ends there, and the end of the roll cuts.
    @Test func strikesDivideAndTheEndCuts() {
        let roll = PianoRoll([note(0, 8, 60), note(3, 1, 60), note(6, 9, 40)], steps: 8)
        #expect(roll.notes(velocity: 70) == [note(0, 3, 60), note(3, 5, 60), note(6, 2, 40)])
    }

    @Test func whatDoesNotFitIsCounted() {
        let roll = PianoRoll([note(0, 1, 20), note(0, 1, 109), note(8, 1, 60), note(1, 1, 60)], steps: 8)
        #expect(roll.skipped == 3 && roll.notes(velocity: 70) == [note(1, 1, 60)])
    }

    /// Any cells make notes: a key that sounds without a strike makes none, a strike that does not sound lasts a step.
    @Test func anyCellsAreNotes() {
        var cells = PianoRoll(steps: 3).cells
        cells[39] = true
        cells[PianoRoll.width + PianoRoll.pitchCount + 40] = true
        #expect(PianoRoll(cells: cells).notes(velocity: 70) == [note(1, 1, 61)])
    }

    @Test func densityIsTheShareOfAPlane() {
        let roll = PianoRoll([note(0, 4, 60), note(2, 2, 61)], steps: 4)
        #expect(roll.density(of: .sounding) == 6.0 / (4 * 88))
        #expect(roll.density(of: .onset) == 2.0 / (4 * 88))
        #expect(PianoRoll(steps: 0).density(of: .onset) == 0)
    }
}

@Suite struct VoiceTests {
    private static let melody = Result {
        MIDIFile(
            notes: (0..<8).map { Note(tick: 13 + $0 * 240, duration: 230, pitch: 60 + $0, velocity: 80) },
            division: 480, tempo: try Tempo(quartersPerMinute: 100))
    }

    @Test func voiceIsATrackOfItsOwn() throws {
        let file = try Self.melody.get()
        let grid = BarGrid(aligning: file.notes().notes, division: file.division)
        let notes = [
            GridNote(step: 0, duration: 8, pitch: 60, velocity: 60),
            GridNote(step: 2, duration: 2, pitch: 48, velocity: 60),
        ]
        let voiced = file.addingVoice(notes, on: grid, named: "HARMONY").file
        #expect(Array(voiced.tracks.dropLast()) == file.tracks)
        #expect(voiced.trackNames.last == "HARMONY")
        let added = voiced.notes().notes.filter { $0.track == file.tracks.count }
        #expect(added.map(\.pitch) == [60, 48] && added.allSatisfy { $0.channel == 1 })
        #expect(added.first?.duration == 960)
    }

    @Test func chosenNotesGoAndTheRestStays() throws {
        let file = try Self.melody.get()
        let grid = BarGrid(aligning: file.notes().notes, division: file.division)
        let gap = try file.removingNotes(on: grid) { $0.pitch % 2 == 0 }
        #expect(gap.removed.map(\.pitch) == [60, 62, 64, 66])
        #expect(gap.file.notes().notes == file.notes().notes.filter { $0.pitch % 2 == 1 })
        #expect(throws: ScoreEditError.noNotes) {
            try MIDIFile(division: 480, tracks: []).removingNotes(on: grid) { _ in true }
        }
    }
}
