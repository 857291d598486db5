import ComputeCore
import Foundation
import Music

/// A folder of MIDI files split into those that a model learns from and those that judge it.
struct SongFolder {
    private let url: URL
    private let train: [String]
    private let valid: [String]

    /// The lists `train.txt` and `valid.txt` if they are there, else every tenth file, in an order drawn under `seed`, judges.
    ///
    /// - Throws: ``FileError`` for a folder, or one list of two, that cannot be read.
    init(_ url: URL, seed: UInt64) throws {
        self.url = url
        let lists = ["train.txt", "valid.txt"].map { url.appending(path: $0).path }
        if lists.contains(where: FileManager.default.fileExists) {
            (train, valid) = (try WholeFile.lines(lists[0]), try WholeFile.lines(lists[1]))
            return
        }
        let names = try WholeFile.namesOfMIDIFiles(inFolder: url.path)
        func draw(_ index: Int) -> UInt32 { Philox.draw(seed: seed, purpose: .window, position: UInt32(index)) }
        let order = names.indices.sorted { (draw($0), $0) < (draw($1), $1) }.map { names[$0] }
        let validCount = (names.count + 9) / 10
        (train, valid) = (Array(order.dropFirst(validCount)).sorted(), Array(order.prefix(validCount)).sorted())
    }

    /// Both parts, read.
    struct Songs<Song> {
        var train: [Song] = []
        var valid: [Song] = []
        /// Files that gave no song, and why.
        var skipped: [String] = []
        /// The first tempo of each song to learn from, in quarter notes per minute.
        var tempos: [Double] = []

        /// The median tempo; that of a file which says nothing if there is no song.
        var tempo: Float {
            Float(tempos.isEmpty ? Tempo.standard.quartersPerMinute : tempos.sorted()[tempos.count / 2].rounded())
        }

        /// Checks that there is a song on either side.
        ///
        /// - Throws: ``CorpusError/noSongs(_:part:skipped:first:)``.
        func requireSongs(in place: String) throws(CorpusError) {
            if train.isEmpty { throw .noSongs(place, part: "train", skipped: skipped.count, first: skipped.first) }
            if valid.isEmpty { throw .noSongs(place, part: "valid", skipped: skipped.count, first: skipped.first) }
        }
    }

    /// Reads every file.
    ///
    /// - Throws: ``CorpusError`` if no song is left on either side.
    func songs<Song>(_ song: (MIDIFile) throws -> Song) throws -> Songs<Song> {
        var songs = Songs<Song>()
        func read(_ names: [String], noting tempos: inout [Double]) -> [Song] {
            names.compactMap { name in
                do {
                    let file = try MIDIFile.read(path: url.appending(path: name).path).file
                    let song = try song(file)
                    tempos.append((file.tempos.first?.tempo ?? .standard).quartersPerMinute)
                    return song
                } catch {
                    songs.skipped.append("\(name): \(error)")
                    return nil
                }
            }
        }
        var (tempos, others): ([Double], [Double]) = ([], [])
        let (learnt, judged) = (read(train, noting: &tempos), read(valid, noting: &others))
        (songs.train, songs.valid, songs.tempos) = (learnt, judged, tempos)
        try songs.requireSongs(in: url.path)
        return songs
    }
}
