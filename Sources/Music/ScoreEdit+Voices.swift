extension MIDIFile {
    /// The name of each track, empty where it has none or one that is no UTF-8.
    public var trackNames: [String] {
        tracks.map { track in
            for event in track.events {
                if case .meta(MetaType.trackName, let bytes) = event.message {
                    return String(validating: bytes, as: UTF8.self) ?? ""
                }
            }
            return ""
        }
    }

    /// The file with a track of notes behind the others, on a channel of their own; every other event stays as it is. Ticks
    /// may be too coarse for all of the notes; see ``BarGap/filled(with:)``.
    ///
    /// The channel is the first melodic one without notes, so that no release ends a note of another part; with notes on
    /// all of them, the last.
    ///
    /// - Parameters:
    ///   - notes: Notes on the grid; those outside MIDI's range are left out.
    ///   - grid: The grid of the notes.
    ///   - name: The name of the track.
    public func addingVoice(_ notes: [GridNote], on grid: BarGrid, named name: String) -> BarGap.Filling {
        let used = Set(self.notes().notes.map(\.channel) + [Note.drumChannel])
        let channel = (0..<16).first { !used.contains($0) } ?? 15
        let voice = BarGap(
            file: MIDIFile(
                division: division,
                tracks: [
                    MIDITrack(events: [
                        MIDIEvent(tick: 0, message: .meta(type: MetaType.trackName, bytes: Array(name.utf8)))
                    ])
                ]),
            bars: 1...(notes.map(\.step).max() ?? 0) / grid.stepsPerBar + 1, grid: grid, removed: [], track: 0,
            channel: channel
        ).filled(with: notes)
        var file = self
        file.tracks += voice.file.tracks
        return BarGap.Filling(
            file: file, inserted: voice.inserted, shortened: voice.shortened, skipped: voice.skipped)
    }

    /// The file without those of its pitched notes that `isDoomed` chooses, ready for others in any of its bars.
    ///
    /// - Throws: ``ScoreEditError/noNotes`` where the piece has none.
    public func removingNotes(
        on grid: BarGrid, where isDoomed: (Note) -> Bool
    ) throws(ScoreEditError) -> BarGap {
        let count = barCount(on: grid)
        guard count > 0 else { throw .noNotes }
        return removingNotes(in: 1...count, on: grid, where: isDoomed)
    }
}
