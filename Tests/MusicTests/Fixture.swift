import Foundation
import Music
import Testing

/// Files of `Fixtures/`, written by `make_fixtures.py`.
enum Fixture {
    static let pieces = ["ode", "prelude", "round"]
    static let tokenizers = ["standard", "small", "fine", "plain"]

    static func path(_ name: String) throws -> String {
        try #require(Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: nil), "Fixtures/\(name)").path
    }

    static func midi(_ piece: String) throws -> MIDIFile {
        try MIDIFile.read(path: path("\(piece).mid")).file
    }

    static func tokenizer(_ name: String) throws -> REMITokenizer {
        try REMITokenizer(path: path("tokenizer_\(name).json"))
    }

    static func miditok(_ tokenizer: String) throws -> MidiTokResult {
        let data = try Data(contentsOf: URL(fileURLWithPath: path("miditok.json")))
        return try #require(JSONDecoder().decode([String: MidiTokResult].self, from: data)[tokenizer])
    }
}

/// What MidiTok made of the pieces with one tokenizer.
struct MidiTokResult: Decodable {
    struct Disordered: Decodable {
        let ids: [Int]
        /// Step, duration, pitch, velocity.
        let notes: [[Int]]
        let errors: Int
    }

    let vocabulary: [String]
    let pieces: [String: [Int]]
    let disordered: [Disordered]
}
