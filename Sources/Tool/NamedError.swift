import ComputeCore
import Foundation
import Music
import SMDIM

/// An error of what was read, under the name of the file or folder that it does not give itself.
struct NamedError: Error, CustomStringConvertible {
    let path: String
    let error: any Error

    var description: String {
        // Of a file's own structure an error says the file's name.
        let (text, ownName) = ("\(error)", "\(URL(filePath: path).lastPathComponent): ")
        return "\(path): \(text.hasPrefix(ownName) ? text.dropFirst(ownName.count) : text[...])"
    }
}

/// Opens a model folder, which the errors about it name.
func modelFolder<Configuration>(_ path: String) throws -> ModelFolder<Configuration> {
    try naming(path) { try ModelFolder(URL(filePath: path)) }
}

/// Reads the sizes and the weights of a model of tokens, whose folder the errors about it name.
func modelWeights(
    _ path: String, precision: Precision = .float32
) throws -> (configuration: ModelConfiguration, weights: [ParameterSource]) {
    let folder: ModelFolder<ModelConfiguration> = try modelFolder(path)
    return (folder.configuration, try naming(path) { try folder.weights(precision: precision) })
}

/// Names a file or folder in the errors about what it holds.
func naming<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch {
        switch error {
        case TokenizerError.noNotes, TokenizerError.tooLong, is ScoreEditError, is ValidationError,
            ModelFileError.configuration, ModelFileError.malformed, ModelFileError.missingWeight,
            ModelFileError.extraWeight, ModelFileError.weightShape, ModelFileError.weightType:
            throw NamedError(path: path, error: error)
        default: throw error
        }
    }
}
