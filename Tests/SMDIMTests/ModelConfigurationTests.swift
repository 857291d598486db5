import ComputeCore
import Foundation
import SMDIM
import Testing

@Suite struct ModelConfigurationTests {
    /// The values of a small model, as text.
    private static let sound = [
        "vocab_size": "21", "embed_dim": "12", "d_model": "16", "stride": "4", "n_blocks": "2", "d_state": "4",
        "d_conv": "4", "expand": "2", "n_heads": "2", "d_ff": "24",
    ]

    private static func json(_ changes: [String: String] = [:], without key: String? = nil) -> Data {
        let values = sound.merging(changes) { $1 }.filter { $0.key != key }
        return Data("{\(values.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", "))}".utf8)
    }

    @Test func whatMayBeAbsentHasADefault() throws {
        let configuration = try ModelConfiguration(json: Self.json())
        #expect(configuration.vocabularySize == 21 && configuration.maskToken == 21)
        #expect(configuration.trunk.mixer == .mamba && configuration.tempo == 120)
        #expect(configuration.trunk.rotaryBase == 10000 && configuration.trunk.normEpsilon == 1e-5)
    }

    @Test func derivedAndUnknownKeysAreTolerated() throws {
        let changes = [
            "dt_rank": "1", "mask_token_id": "21", "model_type": "\"smdim\"", "torch_dtype": "\"float32\"",
            "nested": "{\"a\": [1, {\"b\": null}], \"c\": -1.5e-3}", "mixer": "\"attention\"", "tempo": "97.5",
        ]
        let configuration = try ModelConfiguration(json: Self.json(changes))
        #expect(configuration.trunk.mixer == .attention && configuration.tempo == 97.5)
    }

    @Test(arguments: ModelConfiguration.Preset.allCases)
    func theTextOfAConfigurationGivesItBack(_ preset: ModelConfiguration.Preset) throws {
        var configuration = ModelConfiguration(preset, vocabularySize: 190)
        configuration.tempo = 83.5
        configuration.trunk.mixer = .attention
        #expect(try ModelConfiguration(json: Data(configuration.json.utf8)) == configuration)
    }

    @Test(arguments: sound.keys.sorted())
    func sizesAreCounted(_ key: String) {
        for value in [
            "0", "-1", "1e9", "99999999999999999999", "2.5", "true", "null", "\"4\"", "[4]", "9223372036854775807",
        ] {
            let error = #expect(throws: ModelFileError.self, "\(value)") {
                try ModelConfiguration(json: Self.json([key: value]))
            }
            guard case .configuration(key, _, _)? = error else {
                Issue.record("\(key): \(value): \(String(describing: error))")
                continue
            }
        }
        let error = #expect(throws: ModelFileError.self) { try ModelConfiguration(json: Self.json(without: key)) }
        #expect(error?.description.contains("\(key): expected") == true)
    }

    @Test(arguments: [
        ("vocab_size", "65537"), ("embed_dim", "65537"), ("stride", "257"), ("d_model", "65538"), ("n_blocks", "1025"),
        ("d_state", "65"), ("d_conv", "65"), ("expand", "65"), ("d_ff", "1048577"), ("rope_theta", "0"),
        ("rope_theta", "-1"), ("rope_theta", "1e40"), ("norm_eps", "0"), ("norm_eps", "\"small\""), ("tempo", "-120"),
        ("mixer", "\"lstm\""), ("mixer", "1"), ("model_type", "\"gpt2\""),
    ])
    func absurdValuesAreRefused(_ key: String, _ value: String) {
        refuses(key, [key: value])
    }

    @Test(arguments: [
        ("dt_rank", ["dt_rank": "2"]), ("dt_rank", ["dt_rank": "\"auto\""]), ("mask_token_id", ["mask_token_id": "20"]),
        ("mask_token_id", ["mask_token_id": "0", "vocab_size": "190"]),
        // Heads that do not divide D = 16, are odd, or are wider than a kernel takes.
        ("n_heads", ["n_heads": "3"]), ("n_heads", ["n_heads": "16"]), ("n_heads", ["n_heads": "1", "d_model": "130"]),
    ])
    func contradictionsAreRefused(_ key: String, _ changes: [String: String]) {
        refuses(key, changes)
    }

    private func refuses(_ key: String, _ changes: [String: String]) {
        let error = #expect(throws: ModelFileError.self) { try ModelConfiguration(json: Self.json(changes)) }
        guard case .configuration(key, let expected, let found)? = error else {
            Issue.record("unexpected \(String(describing: error))")
            return
        }
        #expect(!expected.isEmpty && expected != found)
    }

    /// The grammar of RFC 8259, and of duplicate keys the strict reading.
    @Test(arguments: [
        ("", "no value"), ("[1]", "a JSON object"), ("{", "no string"), ("{}x", "text after the value"),
        ("{\"a\":1,}", "no string"), ("{\"a\":1,\"a\":1}", "the key \"a\" twice"),
        ("{\"a\":1,\"\\u0061\":1}", "the key \"a\" twice"), ("{\"a\":01}", "leading 0"),
        ("{\"a\":+1}", "no value"), ("{\"a\":.5}", "no value"), ("{\"a\":1.}", "digits"),
        ("{\"a\":-}", "no value"), ("{\"a\":1.e3}", "digits"), ("{\"a\":1e}", "digits"),
        ("{\"a\":1e+}", "digits"), ("{\"a\":1e999}", "no number"),
        ("{\"a\":NaN}", "no value"), ("{\"a\":nul}", "no value"), ("{\"a\":\"", "unterminated"),
        ("{\"a\":\"\n\"}", "control character"), ("{\"a\":\"\\x\"}", "unknown escape"),
        ("{\"a\":\"\\u12\"}", "four hexadecimal digits"), ("{\"a\":\"\\ud800\"}", "lone surrogate"),
        ("{\"a\":\"\\udc00\"}", "lone surrogate"), ("{'a':1}", "no string"), ("{\"a\" 1}", "':'"),
        ("{\"a\":[1 2]}", "']'"), ("\u{FEFF}{}", "no value"),
        ("{\"a\":" + String(repeating: "[", count: 100_000), "deep"),
    ])
    func onlyJSONIsRead(_ text: String, _ reason: String) {
        let error = #expect(throws: ModelFileError.self) { try ModelConfiguration(json: Data(text.utf8)) }
        guard case .malformed(file: "config.json", _, _, _)? = error, let error else {
            Issue.record("unexpected \(String(describing: error))")
            return
        }
        #expect(error.description.contains(reason), "\(error)")
    }

    @Test func onlyUTF8AndOnlySmallFilesAreRead() {
        let notText = Data("{\"a\":\"".utf8) + Data([0xC3, 0x28]) + Data("\"}".utf8)
        let encoding = #expect(throws: ModelFileError.self) { try ModelConfiguration(json: notText) }
        #expect(encoding?.description.contains("not UTF-8") == true)
        let size = #expect(throws: ModelFileError.self) {
            try ModelConfiguration(json: Self.json() + Data(repeating: 0x20, count: 1 << 20))
        }
        #expect(size?.description.contains("at most 1 MiB") == true)
    }
}
