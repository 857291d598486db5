public import ComputeCore
public import Foundation

/// A model on disk: `config.json`, `model.safetensors` and, for a model of tokens, `tokenizer.json` in one folder.
public struct ModelFolder<Configuration: DenoiserConfiguration>: Sendable {
    /// The folder.
    public let url: URL
    /// What `config.json` says.
    public let configuration: Configuration

    /// Where the tokenizer is described.
    public var tokenizerURL: URL { url.appending(path: "tokenizer.json") }
    private var weightsURL: URL { url.appending(path: "model.safetensors") }

    /// Opens a folder and reads its configuration.
    ///
    /// - Throws: ``ModelFileError``.
    public init(_ url: URL) throws(ModelFileError) {
        self.url = url
        configuration = try Configuration(contentsOf: url.appending(path: "config.json"))
    }

    /// The weights, checked against the configuration: none missing, none extra, every shape right.
    ///
    /// - Throws: ``ModelFileError``, or ``ValidationError`` if the configuration contradicts itself.
    public func weights(precision: Precision = .float32) throws -> [ParameterSource] {
        let file = try Safetensors(contentsOf: weightsURL)
        let declarations = try configuration.parameters(precision)
        let names = Set(declarations.map(\.key.name))
        if let extra = file.entries.keys.sorted().first(where: { !names.contains($0) }) {
            throw ModelFileError.extraWeight(extra)
        }
        return try declarations.map { declaration in
            let name = declaration.key.name
            guard let entry = file.entries[name] else {
                throw ModelFileError.missingWeight(name, expected: declaration.shape)
            }
            guard entry.shape == declaration.shape else {
                throw ModelFileError.weightShape(name, expected: declaration.shape, found: entry.shape)
            }
            guard case .float32(let values) = try file.tensor(name).values else {
                throw ModelFileError.weightType(name, expected: "F32, F16 or BF16", found: entry.type.rawValue)
            }
            return try ParameterSource(declaration.key, declaration.layout, declaration.shape, values)
        }
    }

    /// Whether the weights say of themselves that they were never trained.
    ///
    /// - Throws: ``ModelFileError``.
    public func isUntrained() throws(ModelFileError) -> Bool {
        try Safetensors(contentsOf: weightsURL).metadata["training"] == "none"
    }

    /// Writes a model folder, which appears whole or not at all; in a folder that is there already each file does, `config.json`
    /// last.
    ///
    /// - Parameters:
    ///   - weights: One for each name that the configuration declares.
    ///   - isTrained: Noted in the weights' metadata.
    ///   - tokenizer: The bytes of `tokenizer.json`, if the model reads tokens.
    /// - Throws: ``ModelFileError/unwritable(file:reason:)``.
    public static func write(
        _ configuration: Configuration, weights: [ParameterSource],
        as type: Safetensors.StoredType = .float32, isTrained: Bool, tokenizer: Data?, readme: String,
        to url: URL
    ) throws(ModelFileError) {
        let isThere = FileManager.default.fileExists(atPath: url.path)
        let draft = url.deletingLastPathComponent().appending(path: ".\(url.lastPathComponent)-\(UUID().uuidString)")
        let folder = isThere ? url : draft
        defer { try? FileManager.default.removeItem(at: draft) }
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            // The largest first: where there is no room for it, what was there stays as it was.
            try Safetensors.write(
                Dictionary(uniqueKeysWithValues: weights.map { ($0.key.name, HostTensor($0)) }), as: type,
                metadata: ["format": "pt", "training": isTrained ? "smdim" : "none"],
                to: folder.appending(path: "model.safetensors"))
            try tokenizer?.writeWhole(to: folder.appending(path: "tokenizer.json"))
            try Data(readme.utf8).writeWhole(to: folder.appending(path: "README.md"))
            try Data(configuration.json.utf8).writeWhole(to: folder.appending(path: "config.json"))
            if !isThere { try FileManager.default.moveItem(at: draft, to: url) }
        } catch ModelFileError.unwritable(_, let reason) {
            throw .unwritable(file: url.path, reason: reason)
        } catch {
            throw .unwritable(file: url.path, reason: error.localizedDescription)
        }
    }
}
