package import Foundation

/// A JSON value whose objects keep their order and whose duplicate keys have been refused.
///
/// Of two equal keys Foundation keeps the first and Python the last without a word, which lets one file mean two things to
/// two readers; the files of a model, of its training and of tokens are therefore read by this parser. Source of the
/// grammar: RFC 8259.
package enum StrictJSON: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([StrictJSON])
    case object([(key: String, value: StrictJSON)])

    /// Where a text stops being JSON, or a value being what is read from it, and what is found there.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        /// A byte of the text, or the keys that lead to the value.
        package let place: String
        package let found: String

        package var description: String { "\(place): \(found)" }
    }

    /// Parses a whole text; spaces may follow.
    package init(_ bytes: [UInt8]) throws(Failure) {
        var parser = Parser(bytes: bytes)
        self = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.failure("text after the value") }
    }

    package static func == (a: StrictJSON, b: StrictJSON) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let x), .bool(let y)): x == y
        case (.integer(let x), .integer(let y)): x == y
        case (.number(let x), .number(let y)): x == y
        case (.string(let x), .string(let y)): x == y
        case (.array(let x), .array(let y)): x == y
        case (.object(let x), .object(let y)): x.elementsEqual(y) { $0.key == $1.key && $0.value == $1.value }
        default: false
        }
    }

    /// The member of an object, nil if this is none or lacks it.
    package subscript(key: String) -> StrictJSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// Decodes a whole text in which no key appears twice.
    ///
    /// - Throws: ``Failure`` where the text is not JSON or a value is not of the type.
    package static func decode<Value: Decodable>(
        _ type: Value.Type, from text: Data, with decoder: JSONDecoder = JSONDecoder()
    ) throws(Failure) -> Value {
        _ = try StrictJSON([UInt8](text))
        do { return try decoder.decode(type, from: text) } catch { throw Failure(error) }
    }

    /// The value in a few characters, for an error message.
    package var summary: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): "'\(value.prefix(40))'"
        case .array(let values):
            "[" + (values.prefix(4).map(\.summary) + (values.count > 4 ? ["…"] : [])).joined(separator: ", ") + "]"
        case .object(let members): "an object of \(members.count) keys"
        }
    }
}

extension StrictJSON.Failure {
    /// What a decoder says of a value that it cannot take.
    fileprivate init(_ error: any Error) {
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            self.init(context, found: "no \"\(key.stringValue)\"")
        case DecodingError.typeMismatch(let type, let context), DecodingError.valueNotFound(let type, let context):
            self.init(context, found: "a value that is no \(type)")
        case DecodingError.dataCorrupted(let context):
            self.init(context, found: context.debugDescription)
        default:
            self.init(place: "text", found: "\(error)")
        }
    }

    private init(_ context: DecodingError.Context, found: String) {
        let keys = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
        self.init(place: keys.isEmpty ? "text" : keys.joined(separator: "."), found: found)
    }
}

private struct Parser {
    let bytes: [UInt8]
    var position = 0
    static let maximumDepth = 64

    func failure(_ found: String) -> StrictJSON.Failure { .init(place: "byte \(position)", found: found) }

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    mutating func consume(_ character: Character) throws(StrictJSON.Failure) {
        skipSpace()
        guard let byte = next, byte == character.asciiValue else { throw failure("no '\(character)'") }
        position += 1
    }

    mutating func consumeIf(_ character: Character) -> Bool {
        skipSpace()
        guard let byte = next, byte == character.asciiValue else { return false }
        position += 1
        return true
    }

    mutating func value(depth: Int) throws(StrictJSON.Failure) -> StrictJSON {
        guard depth < Self.maximumDepth else { throw failure("values nested more than \(Self.maximumDepth) deep") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return try number()
        }
    }

    mutating func literal(_ text: String, _ value: StrictJSON) throws(StrictJSON.Failure) -> StrictJSON {
        guard bytes[position...].starts(with: text.utf8) else { throw failure("no value") }
        position += text.utf8.count
        return value
    }

    mutating func object(depth: Int) throws(StrictJSON.Failure) -> StrictJSON {
        try consume("{")
        var members: [(key: String, value: StrictJSON)] = []
        var keys: Set<String> = []
        if consumeIf("}") { return .object([]) }
        repeat {
            skipSpace()
            let key = try string()
            guard keys.insert(key).inserted else { throw failure("the key \"\(key)\" twice") }
            try consume(":")
            members.append((key, try value(depth: depth + 1)))
        } while consumeIf(",")
        try consume("}")
        return .object(members)
    }

    mutating func array(depth: Int) throws(StrictJSON.Failure) -> StrictJSON {
        try consume("[")
        var elements: [StrictJSON] = []
        if consumeIf("]") { return .array([]) }
        repeat { elements.append(try value(depth: depth + 1)) } while consumeIf(",")
        try consume("]")
        return .array(elements)
    }

    mutating func number() throws(StrictJSON.Failure) -> StrictJSON {
        let start = position
        if next == UInt8(ascii: "-") { position += 1 }
        let first = next
        let wholeDigits = try digits("no value")
        guard first != UInt8(ascii: "0") || wholeDigits == 1 else { throw failure("a leading 0") }
        if next == UInt8(ascii: ".") {
            position += 1
            _ = try digits("no digits after the point")
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            _ = try digits("no digits in the exponent")
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if let integer = Int(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else { throw failure("\(text), which is no number") }
        return .number(number)
    }

    /// Skips one or more digits and counts them.
    private mutating func digits(_ reason: String) throws(StrictJSON.Failure) -> Int {
        let start = position
        while let byte = next, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte { position += 1 }
        guard position > start else { throw failure(reason) }
        return position - start
    }

    mutating func string() throws(StrictJSON.Failure) -> String {
        guard next == UInt8(ascii: "\"") else { throw failure("no string") }
        position += 1
        var text: [UInt8] = []
        while let byte = next, byte != UInt8(ascii: "\"") {
            position += 1
            switch byte {
            case UInt8(ascii: "\\"): text.append(contentsOf: try escape().utf8)
            case 0..<0x20: throw failure("a control character in a string")
            default: text.append(byte)
            }
        }
        guard next != nil else { throw failure("an unterminated string") }
        position += 1
        guard let string = String(validating: text, as: UTF8.self) else { throw failure("a string that is not UTF-8") }
        return string
    }

    private mutating func escape() throws(StrictJSON.Failure) -> String {
        guard let byte = next else { throw failure("an unterminated string") }
        position += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return String(UnicodeScalar(byte))
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw failure("an unknown escape")
        }
    }

    private mutating func unicodeEscape() throws(StrictJSON.Failure) -> String {
        let high = try hexadecimal()
        if let scalar = UnicodeScalar(high) { return String(scalar) }
        guard high < 0xDC00, bytes[position...].starts(with: "\\u".utf8) else { throw failure("a lone surrogate") }
        position += 2
        let low = try hexadecimal()
        guard (0xDC00..<0xE000).contains(low),
            let scalar = UnicodeScalar(0x10000 + (UInt32(high) - 0xD800) << 10 + UInt32(low) - 0xDC00)
        else { throw failure("a lone surrogate") }
        return String(scalar)
    }

    private mutating func hexadecimal() throws(StrictJSON.Failure) -> UInt16 {
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
            let value = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw failure("\\u without four hexadecimal digits") }
        position += 4
        return value
    }
}
