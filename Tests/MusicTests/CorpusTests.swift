import Foundation
import Music
import Testing
import _TestSupport

/// Real music beside the package, in `../shared`; it is no part of the package.
private enum Corpus {
    static let shared = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("../../../shared").standardized

    static let isThere: Bool = {
        let isThere = FileManager.default.fileExists(atPath: shared.appendingPathComponent("data/pop909").path)
        if !isThere {
            print("MusicTests: \(shared.path) is not there, so the tests on real music do not run")
        }
        return isThere
    }()

    static func files(_ collection: String) throws -> [String] {
        let folder = shared.appendingPathComponent("data/\(collection)").path
        return try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasSuffix(".mid") }.sorted().map { "\(folder)/\($0)" }
    }
}

@Suite("Real music", .enabled(if: Corpus.isThere, "needs ../shared/data"), .serialized)
struct CorpusTests {
    @Test("The ids that MidiTok made of six songs")
    func golden() throws {
        let folder = Corpus.shared.appendingPathComponent("golden/remi").path
        let tokenizer = try REMITokenizer(path: folder + "/tokenizer.json")
        #expect(tokenizer == REMITokenizer())
        let songs = ["pop909": ["001", "002", "003", "004"], "nottingham": ["ashover10", "ashover11"]]
        for (collection, names) in songs {
            for name in names {
                let path = Corpus.shared.appendingPathComponent("data/\(collection)/\(name).mid").path
                let file = try MIDIFile.read(path: path).file
                let encoding = try tokenizer.encode(file.notes().notes, division: file.division)
                let expected = try TokenFile(path: "\(folder)/\(name).json")
                #expect(encoding.ids == expected.ids, "\(name)")
            }
        }
    }

    @Test("Every song is read without a warning and written without a loss", arguments: ["pop909", "nottingham"])
    func copies(collection: String) throws {
        let paths = try Corpus.files(collection)
        #expect(paths.count > 800)
        for path in paths {
            let reading = try MIDIFile.read(path: path)
            #expect(reading.warnings.isEmpty && reading.file.notes().warnings.isEmpty, "\(path)")
            #expect(try MIDIFile.read(reading.file.serialized()).file == reading.file, "\(path)")
        }
    }

    @Test("Aligned tokens decode to themselves and keep to the grammar")
    func alignedTokens() throws {
        let tokenizer = REMITokenizer(.smallVelocity)
        for path in try Corpus.files("pop909").prefix(100) {
            let file = try MIDIFile.read(path: path).file
            let first = try tokenizer.encodeAligned(file.notes().notes, division: file.division)
            #expect(tokenizer.tokenOrder(of: first.ids).errors == 0, "\(path)")
            let decoded = tokenizer.midiFile(from: first.ids, tempo: .standard).file
            let second = try tokenizer.encodeAligned(decoded.notes().notes, division: decoded.division)
            #expect(second.ids == first.ids, "\(path)")
        }
    }

    @Test("Rewriting bars 9 to 16 changes no other event")
    func rewriting() throws {
        let tokenizer = REMITokenizer(.smallVelocity)
        for path in try Corpus.files("pop909").prefix(40) {
            let file = try MIDIFile.read(path: path).file
            let encoding = try tokenizer.encodeAligned(file.notes().notes, division: file.division)
            let gap = try file.removingNotes(inBars: 9...16, on: encoding.grid)
            // The bars before, moved into the gap.
            let notes = tokenizer.decode(encoding.ids).notes.map { note in
                GridNote(
                    step: note.step + 8 * encoding.grid.stepsPerBar, duration: note.duration, pitch: note.pitch + 1,
                    velocity: note.velocity)
            }
            let filling = gap.filled(with: notes)
            #expect(filling.inserted.count > 20, "\(path)")
            let outside = file.notes().notes.filter { !(9...16).contains(encoding.grid.bar(ofTick: $0.tick)) }
            let kept = filling.file.notes().notes.filter { !(9...16).contains(encoding.grid.bar(ofTick: $0.tick)) }
            #expect(kept == outside, "\(path)")
            for (before, after) in zip(file.tracks, filling.file.tracks) {
                let others = [before, after].map { track in
                    track.events.filter {
                        switch $0.message {
                        case .noteOn, .noteOff: false
                        default: true
                        }
                    }
                }
                #expect(others[0] == others[1], "\(path)")
            }
        }
    }

    @Test("Reading and tokenising a song takes less than 5 ms, in the median")
    func speed() throws {
        let tokenizer = REMITokenizer()
        let clock = ContinuousClock()
        let times = try Corpus.files("pop909").prefix(200).map { path in
            try clock.measure {
                let file = try MIDIFile.read(path: path).file
                _ = try tokenizer.encode(file.notes().notes, division: file.division)
            }
        }
        let median = times.sorted()[times.count / 2]
        #expect(median < .milliseconds(5), "median \(median)")
    }
}
