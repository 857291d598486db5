import Foundation

/// A JSON value of any shape, for files whose keys are not known beforehand.
enum JSONValue: Decodable, Sendable, Hashable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    /// Decodes a JSON text.
    ///
    /// - Throws: `DecodingError`.
    init(decoding bytes: [UInt8]) throws {
        self = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
    }

    /// The number, where it is a whole one.
    var integer: Int? {
        guard case .number(let value) = self else { return nil }
        return Int(exactly: value)
    }

    /// The value in short, for messages.
    var summary: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let value): integer.map { "\($0)" } ?? "\(value)"
        case .string(let value): "'\(value)'"
        case .array(let values):
            "[" + (values.prefix(4).map(\.summary) + (values.count > 4 ? ["…"] : [])).joined(separator: ", ") + "]"
        case .object(let values): "an object of \(values.count) keys"
        }
    }
}
