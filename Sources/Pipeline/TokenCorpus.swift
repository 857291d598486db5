import ComputeCore
public import Foundation
public import Music
public import SMDIM

/// Songs as tokens, split into those that a model learns from and those that judge it.
///
/// Every song lies on its aligned grid with bar lines where its accents are, its notes sorted by (position, pitch), and is
/// transposed to C major or A minor by its best-fitting scale: a model of a few million parameters learns one key far better
/// than twelve, and one place of the bar line far better than sixteen.
public struct TokenCorpus: Sendable {
    /// How the songs became tokens.
    public let tokenizer: REMITokenizer
    /// Songs to learn from.
    public let train: [[Int32]]
    /// Songs to judge by.
    public let valid: [[Int32]]
    /// Files that gave no song, and why.
    public let skipped: [String]
    /// The median tempo of the songs to learn from, in quarter notes per minute: what the model will write.
    public let tempo: Float

    /// Reads a folder of MIDI files: the lists `train.txt` and `valid.txt` if they are there, else every tenth file, in an
    /// order drawn under `seed`, judges.
    ///
    /// - Throws: ``CorpusError`` if no song is left on either side, ``FileError`` for what cannot be read.
    public init(folder: URL, tokenizer: REMITokenizer, seed: UInt64 = 0) throws {
        let songs = try SongFolder(folder, seed: seed).songs { try Self.song($0, tokenizer: tokenizer) }
        self.tokenizer = tokenizer
        (train, valid, skipped, tempo) = (songs.train, songs.valid, songs.skipped, songs.tempo)
    }

    private static func song(_ file: MIDIFile, tokenizer: REMITokenizer) throws -> [Int32] {
        let notes = file.notes().pitched
        guard !notes.isEmpty else { throw TokenizerError.noNotes }
        let grid = BarGrid(
            aligning: notes, division: file.division, stepsPerBeat: tokenizer.configuration.stepsPerBeat)
        return try tokenizer.encodeAligned(
            notes.transposed(by: Key.estimate(of: notes).shiftToWhiteKeys), division: file.division,
            on: grid.barred(by: notes)
        ).ids.map(Int32.init)
    }
}

extension TokenCorpus: TrainingCorpus {
    public var summary: String { summary(train: train.map(\.count), valid: valid.map(\.count), of: "tokens") }
}

/// Why a place holds nothing to train on.
public enum CorpusError: Error, Equatable, Sendable, CustomStringConvertible {
    /// No song is left for a part.
    case noSongs(String, part: String, skipped: Int, first: String?)
    /// A token file lacks something, or holds ids that its tokenizer does not have.
    case malformed(String, expected: String)

    /// One line that names the place and what was expected.
    public var description: String {
        switch self {
        case .noSongs(let place, let part, let skipped, let first):
            "\(place): expected MIDI files with notes for train and for valid, found none for \(part)"
                + (first.map { "; \(skipped) files were skipped, the first: \($0)" } ?? "")
        case .malformed(let place, let expected): "\(place): expected \(expected)"
        }
    }
}

// MARK: - Token files

extension TokenCorpus {
    /// Reads a token file that ``write(to:)`` made.
    ///
    /// - Throws: ``ModelFileError``, ``TokenizerError`` or ``CorpusError``.
    public init(tokenFile url: URL) throws {
        try self.init(tokens: Safetensors(contentsOf: url), named: url.path)
    }

    /// Reads what a token file holds; `place` is what errors call it.
    ///
    /// - Throws: ``ModelFileError``, ``TokenizerError`` or ``CorpusError``.
    public init(tokens file: Safetensors, named place: String) throws {
        guard let json = file.metadata["tokenizer"] else {
            throw CorpusError.malformed(place, expected: "the tokenizer among its metadata, as smdim train writes it")
        }
        tokenizer = REMITokenizer(try TokenizerConfiguration(tokenizerJSON: Array(json.utf8), named: place))
        let vocabulary = 0..<Int32(tokenizer.vocabulary.count)
        func songs(_ part: String) throws -> [[Int32]] {
            let ids = try file.integers("\(part).tokens")
            let ends = try file.integers("\(part).ends").map(Int.init)
            guard ends.last == ids.count, zip([0] + ends, ends).allSatisfy({ $0 <= $1 }),
                ids.allSatisfy(vocabulary.contains)
            else { throw CorpusError.malformed(place, expected: "rising ends and ids of the tokenizer in \(part)") }
            return zip([0] + ends, ends).map { Array(ids[$0..<$1]) }
        }
        (train, valid) = (try songs("train"), try songs("valid"))
        skipped = []
        tempo = file.metadata["tempo"].flatMap(Float.init) ?? Float(Tempo.standard.quartersPerMinute)
        guard Tempo.range.contains(Double(tempo)) else {
            throw CorpusError.malformed(place, expected: "a tempo of \(Tempo.span)")
        }
        try SongFolder.Songs(train: train, valid: valid).requireSongs(in: place)
    }

    /// Writes a token file: for each part the songs' ids end to end and where each song ends; whole or not at all.
    ///
    /// - Throws: ``ModelFileError``.
    public func write(to url: URL) throws {
        var tensors: [String: HostTensor] = [:]
        for (part, songs) in [("train", train), ("valid", valid)] {
            let ends = songs.reduce(into: [Int32]()) { ends, song in ends.append((ends.last ?? 0) + Int32(song.count)) }
            tensors["\(part).tokens"] = try HostTensor([Int(ends.last ?? 0)], songs.flatMap(\.self))
            tensors["\(part).ends"] = try HostTensor([ends.count], ends)
        }
        let json = String(decoding: tokenizer.configuration.tokenizerJSON(), as: UTF8.self)
        try Safetensors.write(tensors, metadata: ["tokenizer": json, "tempo": "\(tempo)"], to: url)
    }
}
