import ComputeCore

extension TokenizerConfiguration {
    /// Reads the configuration from a `tokenizer.json` as MidiTok 3 writes it.
    ///
    /// Understood are `pitch_range`, `beat_res`, `num_velocities`, `special_tokens`, `remove_duplicated_notes` and
    /// `use_velocities`; any other switch that is not `false` is refused, as are trained tokenizers. `miditok_version`
    /// decides whether the upper pitch has a token (from 3.0.6 on it has).
    ///
    /// `path` is what errors call the file.
    ///
    /// - Throws: ``TokenizerError`` naming the key.
    public init(tokenizerJSON bytes: [UInt8], named path: String = "tokenizer.json") throws {
        let file: StrictJSON
        do { file = try StrictJSON(bytes) } catch {
            throw TokenizerError.malformed(path: path, reason: "expected JSON, found \(error)")
        }
        guard case .object = file else {
            throw TokenizerError.malformed(path: path, reason: "expected a JSON object")
        }
        for key in ["_vocab_base", "_model", "_vocab_base_byte_to_token"] where file[key] != nil {
            throw TokenizerError.trained(key: key)
        }
        let tokenization = try Self.value("tokenization", in: file)
        guard tokenization == .string("REMI") else {
            throw TokenizerError.invalid(key: "tokenization", value: tokenization.summary, expected: "'REMI'")
        }
        let config = try Self.value("config", in: file)
        guard case .object = config else {
            throw TokenizerError.invalid(key: "config", value: config.summary, expected: "a JSON object")
        }
        try Self.refuseSwitches(in: config)

        let bounds = try Self.integers("pitch_range", in: config, count: 2)
        let includesUpperPitch = try Self.includesUpperPitch(version: Self.value("miditok_version", in: file))
        let upper = bounds[1] - (includesUpperPitch ? 0 : 1)
        guard bounds[0] <= upper else {
            throw TokenizerError.invalid(
                key: "pitch_range", value: "\(bounds[0]) to \(bounds[1])", expected: "the lower pitch first")
        }
        try self.init(
            pitches: bounds[0]...upper,
            beatResolutions: Self.beatResolutions(in: config),
            velocityCount: Self.integer("num_velocities", in: config),
            specialTokens: Self.specialTokens(in: config),
            removesDuplicatedNotes: Self.flag("remove_duplicated_notes", in: config),
            usesVelocities: Self.flag("use_velocities", in: config))
    }

    /// A `tokenizer.json` of the configuration that MidiTok 3.1 loads; equal configurations give equal bytes.
    public func tokenizerJSON() -> [UInt8] {
        let resolutions = beatResolutions.map {
            "\"\($0.beats.lowerBound)_\($0.beats.upperBound)\": \($0.stepsPerBeat)"
        }
        let specials = specialTokens.map { "\"\($0)_None\"" }
        let programs = (-1...127).map { "\($0)" }
        let switches = Self.refusedSwitches.sorted().map { "        \"\($0)\": false" }
        let text = """
            {
                "config": {
                    "pitch_range": [\(pitches.lowerBound), \(pitches.upperBound)],
                    "beat_res": {\(resolutions.joined(separator: ", "))},
                    "num_velocities": \(velocityCount),
                    "special_tokens": [\(specials.joined(separator: ", "))],
                    "remove_duplicated_notes": \(removesDuplicatedNotes),
                    "use_velocities": \(usesVelocities),
                    "use_note_duration_programs": [\(programs.joined(separator: ", "))],
                    "time_signature_range": {"8": [3, 12, 6], "4": [5, 6, 3, 2, 1, 4]},
            \(switches.joined(separator: ",\n")),
                    "additional_params": {
                        "max_bar_embedding": null,
                        "use_bar_end_tokens": false,
                        "add_trailing_bars": false
                    }
                },
                "tokenization": "REMI",
                "miditok_version": "3.1.0"
            }

            """
        return Array(text.utf8)
    }
}

// MARK: - Keys

extension TokenizerConfiguration {
    /// The switches of MidiTok that add tokens, written as off.
    private static let refusedSwitches = [
        "use_chords", "use_rests", "use_tempos", "use_time_signatures", "use_key_signatures", "use_sustain_pedals",
        "use_pitch_bends", "use_control_changes", "use_programs", "use_pitch_intervals", "use_pitchdrum_tokens",
        "one_token_stream_for_programs", "program_changes",
    ]

    /// The further switches of MidiTok, which are off where a file is silent and so are not written.
    private static let otherSwitches = [
        "chord_tokens_with_root_note", "log_tempos", "delete_equal_successive_tempo_changes",
        "delete_equal_successive_time_sig_changes", "sustain_pedal_duration", "ac_polyphony_track", "ac_polyphony_bar",
        "ac_pitch_class_bar", "ac_note_density_track", "ac_note_density_bar", "ac_note_duration_bar",
        "ac_note_duration_track", "ac_repetition_track",
    ]

    /// The switches that MidiTok takes as on where a file is silent.
    private static let onWhereAbsent = ["use_time_signatures", "use_pitchdrum_tokens"]

    private static let understoodFlags: Set = ["remove_duplicated_notes", "use_velocities"]

    /// Python takes a value such as 1 or "yes" as on, so a switch must be `false` to be off.
    private static func refuseSwitches(in config: StrictJSON) throws {
        for (key, value) in config.sortedMembers where value == .bool(true) && !understoodFlags.contains(key) {
            throw TokenizerError.unsupported(key: key, value: value.summary)
        }
        for key in refusedSwitches + otherSwitches {
            guard let value = config[key] else { continue }
            guard value == .bool(false) else {
                throw TokenizerError.invalid(key: key, value: value.summary, expected: "false")
            }
        }
        for key in onWhereAbsent where config[key] == nil {
            throw TokenizerError.missing(key: "config.\(key)")
        }
        for (key, value) in config["additional_params"]?.sortedMembers ?? []
        where value != .null && value != .bool(false) {
            throw TokenizerError.unsupported(key: "additional_params.\(key)", value: value.summary)
        }
        if case .array(let programs)? = config["use_note_duration_programs"], !programs.contains(.integer(0)) {
            throw TokenizerError.unsupported(
                key: "use_note_duration_programs", value: "a list without program 0 (piano)")
        }
    }

    private static func value(_ key: String, in object: StrictJSON) throws -> StrictJSON {
        guard let value = object[key] else { throw TokenizerError.missing(key: key) }
        return value
    }

    private static func integer(_ key: String, in object: StrictJSON) throws -> Int {
        let value = try value(key, in: object)
        guard case .integer(let integer) = value else {
            throw TokenizerError.invalid(key: key, value: value.summary, expected: "a whole number")
        }
        return integer
    }

    private static func integers(_ key: String, in object: StrictJSON, count: Int) throws -> [Int] {
        let value = try value(key, in: object)
        guard case .array(let values) = value, values.count == count else {
            throw TokenizerError.invalid(key: key, value: value.summary, expected: "\(count) whole numbers")
        }
        return try values.map { element in
            guard case .integer(let integer) = element, (-128...128).contains(integer) else {
                throw TokenizerError.invalid(key: key, value: element.summary, expected: "a MIDI pitch")
            }
            return integer
        }
    }

    private static func flag(_ key: String, in object: StrictJSON) throws -> Bool {
        let value = try value(key, in: object)
        guard case .bool(let flag) = value else {
            throw TokenizerError.invalid(key: key, value: value.summary, expected: "true or false")
        }
        return flag
    }

    /// The stretches by their first beat; MidiTok writes them in this order.
    private static func beatResolutions(in config: StrictJSON) throws -> [BeatResolution] {
        let value = try value("beat_res", in: config)
        guard case .object(let stretches) = value else {
            throw TokenizerError.invalid(key: "beat_res", value: value.summary, expected: "an object")
        }
        return try stretches.map { key, value in
            let bounds = key.split(separator: "_").map { Int($0) }
            guard bounds.count == 2, let lower = bounds[0], let upper = bounds[1], 0 <= lower, lower <= upper,
                case .integer(let steps) = value
            else {
                throw TokenizerError.invalid(
                    key: "beat_res", value: "'\(key)': \(value.summary)", expected: "'first_last': steps a beat")
            }
            return BeatResolution(beats: lower..<upper, stepsPerBeat: steps)
        }
        .sorted { $0.beats.lowerBound < $1.beats.lowerBound }
    }

    private static func specialTokens(in config: StrictJSON) throws -> [String] {
        let value = try value("special_tokens", in: config)
        guard case .array(let values) = value else {
            throw TokenizerError.invalid(key: "special_tokens", value: value.summary, expected: "a list of names")
        }
        return try values.map { element in
            guard case .string(let name) = element else {
                throw TokenizerError.invalid(key: "special_tokens", value: element.summary, expected: "a name")
            }
            return name.hasSuffix("_None") ? String(name.dropLast(5)) : name
        }
    }

    /// Whether a version of MidiTok, such as 3.0.5.post1, is 3.0.6 or later.
    private static func includesUpperPitch(version: StrictJSON) throws -> Bool {
        guard case .string(let text) = version else {
            throw TokenizerError.invalid(key: "miditok_version", value: version.summary, expected: "such as '3.1.0'")
        }
        let parts = text.split(separator: ".").prefix(3).map { Int($0.prefix { $0.isASCII && $0.isNumber }) }
        guard parts.count >= 2, parts.allSatisfy({ $0 != nil }) else {
            throw TokenizerError.invalid(key: "miditok_version", value: "'\(text)'", expected: "such as '3.1.0'")
        }
        let numbers = parts.compactMap(\.self) + [0]
        return (numbers[0], numbers[1], numbers[2]) >= (3, 0, 6)
    }
}

extension StrictJSON {
    /// An object's members by their keys, none where this is no object.
    fileprivate var sortedMembers: [(key: String, value: StrictJSON)] {
        guard case .object(let members) = self else { return [] }
        return members.sorted { $0.key < $1.key }
    }
}
