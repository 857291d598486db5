public import ComputeCore
public import Foundation

/// What `config.json` says about a denoiser: everything that a model folder and a training run need to know of it.
public protocol DenoiserConfiguration: Hashable, Sendable {
    /// The sizes of the trunk.
    var trunk: TrunkConfiguration { get }
    /// The text of a `config.json`, keys sorted.
    var json: String { get }

    /// Reads the text of a `config.json`. Unknown keys are ignored; every known value is checked.
    ///
    /// - Throws: ``ModelFileError``.
    init(json bytes: Data) throws(ModelFileError)

    /// Every weight of the model as a denoiser of this precision uses it, in the order in which the denoiser declares them.
    ///
    /// - Throws: ``ValidationError`` if the configuration contradicts itself.
    func parameters(_ precision: Precision) throws(ValidationError) -> [ParameterDeclaration]
}

extension DenoiserConfiguration {
    /// Reads `config.json`.
    ///
    /// - Throws: ``ModelFileError``.
    public init(contentsOf url: URL) throws(ModelFileError) {
        let bytes: Data
        do { bytes = try Data(readingWholeOf: url) } catch {
            throw .unreadable(file: url.path, reason: error.localizedDescription)
        }
        try self.init(json: bytes)
    }

    /// ``parameters(_:)`` in float32.
    public var parameters: [ParameterDeclaration] {
        get throws(ValidationError) { try parameters(.float32) }
    }
}
