import Foundation
import Music
import Testing
import _TestSupport

@Suite("Tokenizer files")
struct TokenizerConfigurationTests {
    private func text(_ name: String = "standard") throws -> String {
        try String(decoding: WholeFile.read(Fixture.path("tokenizer_\(name).json")), as: UTF8.self)
    }

    private func read(_ text: String) throws -> TokenizerConfiguration {
        try TokenizerConfiguration(tokenizerJSON: Array(text.utf8))
    }

    @Test("A file that was written reads as the same configuration", arguments: Fixture.tokenizers)
    func roundTrip(name: String) throws {
        let configuration = try Fixture.tokenizer(name).configuration
        #expect(try TokenizerConfiguration(tokenizerJSON: configuration.tokenizerJSON()) == configuration)
    }

    @Test(
        "A switch that is on is refused by key",
        arguments: [
            "use_chords", "use_rests", "use_tempos", "use_time_signatures", "use_key_signatures", "use_sustain_pedals",
            "use_pitch_bends", "use_control_changes", "use_programs", "use_pitch_intervals", "use_pitchdrum_tokens",
            "one_token_stream_for_programs", "program_changes", "ac_polyphony_bar", "sustain_pedal_duration",
        ])
    func switches(key: String) throws {
        let original = try text()
        let changed = original.replacingOccurrences(of: "\"\(key)\": false", with: "\"\(key)\": true")
        #expect(changed != original)
        #expect(throws: TokenizerError.unsupported(key: key, value: "true")) { try read(changed) }
    }

    @Test("Every switch of MidiTok's file must be spelled false", arguments: ["1", "0", "\"yes\"", "[true]", "null"])
    func switchesThatAreNoBooleans(value: String) throws {
        let original = try text()
        let off = original.matches(of: /^        "([a-z_]+)": false/.anchorsMatchLineEndings()).map { String($0.1) }
        #expect(off.count == 27 && off.contains("use_tempos"))
        for key in off {
            let changed = original.replacing("\"\(key)\": false", with: "\"\(key)\": \(value)")
            let error = #expect(throws: TokenizerError.self, "\(key)") { try read(changed) }
            #expect(error?.description.contains(key) == true)
        }
    }

    @Test("A key that appears twice is refused, as another reader may take its other value")
    func duplicateKeys() throws {
        let key = "\"num_velocities\": 32"
        let changed = try text().replacing(key, with: "\(key), \"num_velocities\": 8")
        let error = #expect(throws: TokenizerError.self) { try read(changed) }
        #expect(error?.description.contains("the key \"num_velocities\" twice") == true)
    }

    @Test("A file that is no tokenizer is named")
    func nameOfTheFile() throws {
        let path = try TemporaryFolder().path("other.json")
        try WholeFile.write(Array("[]".utf8), to: path)
        #expect(throws: TokenizerError.malformed(path: path, reason: "expected a JSON object")) {
            try REMITokenizer(path: path)
        }
    }

    @Test("Bar tokens of other kinds are refused by key")
    func additionalParameters() throws {
        let bars = try text().replacingOccurrences(of: "\"max_bar_embedding\": null", with: "\"max_bar_embedding\": 60")
        #expect(throws: TokenizerError.unsupported(key: "additional_params.max_bar_embedding", value: "60")) {
            try read(bars)
        }
        let ends = try text().replacingOccurrences(
            of: "\"add_trailing_bars\": false", with: "\"add_trailing_bars\": true")
        #expect(throws: TokenizerError.unsupported(key: "additional_params.add_trailing_bars", value: "true")) {
            try read(ends)
        }
    }

    @Test("Trained tokenizers, other tokenizations and files of no shape are refused")
    func otherFiles() throws {
        let original = try text()
        let trained = original.replacingOccurrences(
            of: "\"tokenization\"", with: "\"_model\": \"{}\", \"tokenization\"")
        #expect(throws: TokenizerError.trained(key: "_model")) { try read(trained) }
        let tsd = original.replacingOccurrences(of: "\"REMI\"", with: "\"TSD\"")
        #expect(throws: TokenizerError.invalid(key: "tokenization", value: "'TSD'", expected: "'REMI'")) {
            try read(tsd)
        }
        for bad in ["", "[]", "{", "{\"config\": 1, \"tokenization\": \"REMI\"}", "{}"] {
            #expect(throws: TokenizerError.self, "\(bad)") { try read(bad) }
        }
    }

    @Test(
        "A value that makes no vocabulary is refused by key",
        arguments: [
            ("\"num_velocities\": 32", "\"num_velocities\": 0"), ("\"num_velocities\": 32", "\"num_velocities\": 1.5"),
            ("\"num_velocities\": 32", "\"num_velocities\": 1e300"), ("\"0_12\": 4", "\"1_12\": 4"),
            ("\"0_12\": 4", "\"0_12\": 0"), ("\"0_12\": 4", "\"0_99999999999\": 4"), ("\"0_12\": 4", "\"x\": 4"),
            ("\"0_12\": 4", "\"0_1024\": 480"),
            ("\"0_12\": 4", "\"0_2\": 4, \"2_4\": 3"), ("\"0_12\": 4", ""), ("\"BOS_None\"", "\"PAD_None\""),
            ("\"BOS_None\"", "\"Pitch_None\""), ("\"BOS_None\"", "7"), ("109", "200"), ("109", "3"),
            ("\"use_velocities\": true", "\"use_velocities\": 1"), ("\"use_velocities\": true,", ""),
            ("\"miditok_version\": \"3.1.0\"", "\"miditok_version\": \"new\""),
        ])
    func values(original: String, replacement: String) throws {
        let text = try text()
        let range = try #require(text.range(of: original))
        let changed = text.replacingCharacters(in: range, with: replacement)
        #expect(throws: TokenizerError.self, "\(replacement)") { try read(changed) }
    }

    @Test(
        "The version of MidiTok decides whether the upper pitch has a token",
        arguments: [
            ("3.1.0", 109), ("3.0.6.post1", 109), ("4", nil), ("3.0.5.post1", 108), ("3.0", 108), ("2.9.9", 108),
        ])
    func pitchBound(version: String, upper: Int?) throws {
        let changed = try text().replacingOccurrences(
            of: "\"miditok_version\": \"3.1.0\"", with: "\"miditok_version\": \"\(version)\"")
        if let upper {
            #expect(try read(changed).pitches == 21...upper)
        } else {
            #expect(throws: TokenizerError.self) { try read(changed) }
        }
    }

    /// Well below a second of the thread's time; comparing each with all before it takes minutes.
    @Test("The time of special tokens is linear in their number")
    func manySpecialTokens() throws {
        func seconds() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
        }
        let names = ["PAD"] + (0..<200_000).map { "S\($0)" }
        let start = seconds()
        let configuration = try TokenizerConfiguration(specialTokens: names)
        #expect(seconds() - start < 20)
        #expect(configuration.specialTokens.count == names.count)
    }

    @Test("A switch that MidiTok takes as on must be spelled out")
    func silence() throws {
        let changed = try text().replacingOccurrences(of: "\"use_time_signatures\": false,", with: "")
        #expect(throws: TokenizerError.missing(key: "config.use_time_signatures")) { try read(changed) }
    }
}
