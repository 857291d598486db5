public import ComputeCore
public import Foundation
public import Music
public import SMDIM

/// A denoiser with its weights on a device and the tokenizer that belongs to it: what every call of this module needs.
///
/// A model never changes, so any number of tasks may use one at once.
public struct TokenModel: Sendable {
    /// The name of the folder.
    public let name: String
    /// The sizes.
    public let configuration: ModelConfiguration
    /// How pieces become tokens.
    public let tokenizer: REMITokenizer
    /// Whether the weights were never trained.
    public let isUntrained: Bool
    /// Where it runs.
    public let backend: any Backend
    /// The weights there.
    public let parameters: any ParameterStore
    /// The network.
    public let denoiser: TokenDenoiser

    /// Loads a model folder: `config.json`, `model.safetensors`, and `tokenizer.json` if there is one.
    ///
    /// - Throws: ``ModelFileError``, ``TokenizerError`` if the tokenizer does not fit the model, or what the backend throws.
    public init(_ url: URL, on backend: any Backend, precision: Precision = .float32) throws {
        let folder = try ModelFolder<ModelConfiguration>(url)
        name = url.lastPathComponent
        configuration = folder.configuration
        guard Tempo.range.contains(Double(configuration.tempo)) else {
            throw ModelFileError.configuration(key: "tempo", expected: Tempo.span, found: "\(configuration.tempo)")
        }
        let hasTokenizer = FileManager.default.fileExists(atPath: folder.tokenizerURL.path)
        tokenizer = try hasTokenizer ? REMITokenizer(path: folder.tokenizerURL.path) : REMITokenizer()
        try tokenizer.vocabulary.check(
            fits: configuration.vocabularySize, model: name,
            tokenizer: hasTokenizer ? folder.tokenizerURL.lastPathComponent : "built in, for want of a tokenizer.json,")
        isUntrained = try folder.isUntrained()
        self.backend = backend
        parameters = try backend.prepare(folder.weights(precision: precision))
        denoiser = TokenDenoiser(configuration, precision: precision)
    }

    /// The most tokens that the model was made for; longer pieces are seen through a window.
    public static let windowLength = 2048

    /// The id of [MASK].
    var mask: Int32 { configuration.maskToken }

    /// The id of a token that every vocabulary has.
    func id(_ token: Token) throws(PipelineError) -> Int32 {
        guard let id = tokenizer.vocabulary.id(of: token) else { throw .missingToken("\(token)") }
        return Int32(id)
    }

    /// Which ids may be drawn: all but the special ones and `forbidden`; PAD is left to a grammar, if there is one.
    func allowed(padding: Bool, forbidding forbidden: [Int32] = []) throws(PipelineError) -> [Bool] {
        var allowed = [Bool](repeating: true, count: configuration.vocabularySize)
        for id in tokenizer.vocabulary.specialIDs { allowed[id] = false }
        for id in forbidden { allowed[Int(id)] = false }
        if padding { allowed[Int(try id(.pad))] = true }
        return allowed
    }
}
