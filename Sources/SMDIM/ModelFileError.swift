public import ComputeCore

/// A file of a model folder is missing, damaged or says what cannot be.
public enum ModelFileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file cannot be opened or read.
    case unreadable(file: String, reason: String)
    /// The file cannot be written.
    case unwritable(file: String, reason: String)
    /// The file's structure is broken; `part` names where.
    case malformed(file: String, part: String, expected: String, found: String)
    /// A configuration value cannot be.
    case configuration(key: String, expected: String, found: String)
    /// A weight that the configuration calls for is not in the file.
    case missingWeight(String, expected: Shape)
    /// A weight in the file that the configuration does not call for.
    case extraWeight(String)
    /// A weight has another shape than the configuration calls for.
    case weightShape(String, expected: Shape, found: Shape)
    /// A weight is stored in a type that cannot be computed with.
    case weightType(String, expected: String, found: String)

    /// One line that names the thing, what was expected and what came.
    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
        case .unwritable(let file, let reason): "\(file): cannot be written: \(reason)"
        case .malformed(let file, let part, let expected, let found):
            "\(file): \(part): expected \(expected), found \(found)"
        case .configuration(let key, let expected, let found):
            "config.json: \(key): expected \(expected), found \(found)"
        case .missingWeight(let name, let expected):
            "model.safetensors: \(name): expected a tensor \(expected), found none; the weights belong to another config.json"
        case .extraWeight(let name):
            "model.safetensors: \(name): expected no such tensor; the weights belong to another config.json"
        case .weightShape(let name, let expected, let found):
            "model.safetensors: \(name): expected \(expected), found \(found)"
        case .weightType(let name, let expected, let found):
            "model.safetensors: \(name): expected \(expected), found \(found)"
        }
    }
}
