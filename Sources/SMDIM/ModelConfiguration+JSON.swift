public import ComputeCore
public import Foundation

extension ModelConfiguration: DenoiserConfiguration {
    public init(json bytes: Data) throws(ModelFileError) {
        let values = try ConfigurationValues(text: bytes)
        try values.requireModelType("smdim", "a model of tokens")
        vocabularySize = try values.integer("vocab_size", in: 1...65_536)
        embeddingWidth = try values.integer("embed_dim", in: 1...65_536)
        stride = try values.integer("stride", in: 1...256)
        trunk = try TrunkConfiguration(values)
        tempo = try values.positiveNumber("tempo", default: 120)
        try values.requireDerived("mask_token_id", vocabularySize)
    }

    public var json: String {
        ConfigurationValues.text(
            [
                ("model_type", "\"smdim\""), ("vocab_size", "\(vocabularySize)"), ("embed_dim", "\(embeddingWidth)"),
                ("stride", "\(stride)"), ("tempo", "\(tempo)"), ("mask_token_id", "\(maskToken)"),
            ] + trunk.jsonMembers)
    }

    public func parameters(_ precision: Precision) throws(ValidationError) -> [ParameterDeclaration] {
        try TokenDenoiser(self, precision: precision).plan(batch: 1, length: stride).parameters
    }
}

extension TrunkConfiguration {
    init(_ values: ConfigurationValues) throws(ModelFileError) {
        self.init(
            modelWidth: try values.integer("d_model", in: 1...65_536),
            blockCount: try values.integer("n_blocks", in: 1...1024),
            stateCount: try values.integer("d_state", in: 1...SelectiveScan.maximumStateCount),
            convolutionWidth: try values.integer("d_conv", in: 1...64),
            expansion: try values.integer("expand", in: 1...64),
            headCount: try values.integer("n_heads", in: 1...65_536),
            feedForwardWidth: try values.integer("d_ff", in: 1...1_048_576),
            rotaryBase: try values.positiveNumber("rope_theta", default: 10000),
            normEpsilon: try values.positiveNumber("norm_eps", default: 1e-5),
            mixer: try values.mixer())
        guard modelWidth % (2 * headCount) == 0, modelWidth / headCount <= Attention.maximumHeadWidth else {
            throw .configuration(
                key: "n_heads",
                expected:
                    "a divisor of d_model = \(modelWidth) that leaves even heads of at most \(Attention.maximumHeadWidth)",
                found: "\(headCount)")
        }
        try values.requireDerived("dt_rank", stepRank)
    }

    var jsonMembers: [(String, String)] {
        [
            ("d_model", "\(modelWidth)"), ("n_blocks", "\(blockCount)"), ("d_state", "\(stateCount)"),
            ("d_conv", "\(convolutionWidth)"), ("expand", "\(expansion)"), ("n_heads", "\(headCount)"),
            ("d_ff", "\(feedForwardWidth)"), ("rope_theta", "\(rotaryBase)"), ("norm_eps", "\(normEpsilon)"),
            ("dt_rank", "\(stepRank)"), ("mixer", "\"\(mixer.rawValue)\""),
        ]
    }
}

/// Checked access to the members of a configuration object.
struct ConfigurationValues {
    private let json: StrictJSON

    /// The members of a file's text.
    init(text bytes: Data) throws(ModelFileError) {
        guard bytes.count <= 1 << 20 else {
            throw .malformed(
                file: "config.json", part: "file", expected: "at most 1 MiB", found: "\(bytes.count) bytes")
        }
        let json: StrictJSON
        do { json = try StrictJSON([UInt8](bytes)) } catch {
            throw .malformed(
                file: "config.json", part: error.place, expected: "JSON", found: error.found)
        }
        try self.init(json)
    }

    /// The text of an object with these members, keys sorted.
    static func text(_ members: [(String, String)]) -> String {
        let lines = members.sorted { $0.0 < $1.0 }.map { "  \"\($0.0)\": \($0.1)" }
        return "{\n" + lines.joined(separator: ",\n") + "\n}\n"
    }

    private init(_ json: StrictJSON) throws(ModelFileError) {
        guard case .object = json else {
            throw .malformed(file: "config.json", part: "file", expected: "a JSON object", found: "another value")
        }
        self.json = json
    }

    func integer(_ key: String, in range: ClosedRange<Int>) throws(ModelFileError) -> Int {
        let expected = "an integer in \(range)"
        guard let value = json[key] else { throw .configuration(key: key, expected: expected, found: "no such key") }
        guard case .integer(let integer) = value, range.contains(integer) else {
            throw .configuration(key: key, expected: expected, found: value.summary)
        }
        return integer
    }

    func positiveNumber(_ key: String, default fallback: Float) throws(ModelFileError) -> Float {
        let number: Float
        switch json[key] {
        case nil: return fallback
        case .integer(let value): number = Float(value)
        case .number(let value): number = Float(value)
        case .some(let value): throw .configuration(key: key, expected: "a positive number", found: value.summary)
        }
        guard number > 0, number.isFinite else {
            throw .configuration(key: key, expected: "a positive number", found: "\(number)")
        }
        return number
    }

    func mixer() throws(ModelFileError) -> TrunkConfiguration.Mixer {
        guard let value = json["mixer"] else { return .mamba }
        guard case .string(let name) = value, let mixer = TrunkConfiguration.Mixer(rawValue: name) else {
            let known = TrunkConfiguration.Mixer.allCases.map(\.rawValue).joined(separator: " or ")
            throw .configuration(key: "mixer", expected: known, found: value.summary)
        }
        return mixer
    }

    func requireModelType(_ expected: String, _ meaning: String) throws(ModelFileError) {
        guard let value = json["model_type"] else { return }
        guard value == .string(expected) else {
            throw .configuration(key: "model_type", expected: "\(expected), \(meaning)", found: value.summary)
        }
    }

    /// A key that repeats what others say may be absent, but not contradict them.
    func requireDerived(_ key: String, _ expected: Int) throws(ModelFileError) {
        guard let value = json[key], value != .integer(expected) else { return }
        throw .configuration(
            key: key, expected: "\(expected), which follows from the other values", found: value.summary)
    }
}
