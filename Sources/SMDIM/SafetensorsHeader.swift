import ComputeCore
import Foundation

/// The header of a safetensors file, with every rule of the format enforced.
struct SafetensorsHeader {
    private(set) var entries: [String: Safetensors.Entry] = [:]
    private(set) var metadata: [String: String] = [:]
    let dataStart: Int
    private let file: String

    init(_ bytes: Data, named name: String) throws(ModelFileError) {
        file = name
        func malformed(_ part: String, _ expected: String, _ found: String) -> ModelFileError {
            .malformed(file: name, part: part, expected: expected, found: found)
        }
        guard bytes.count >= 8 else { throw malformed("header length", "8 bytes", "\(bytes.count)") }
        let length = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= Safetensors.maximumHeaderBytes, length <= UInt64(bytes.count - 8) else {
            throw malformed(
                "header length",
                "at most \(min(Safetensors.maximumHeaderBytes, bytes.count - 8)) bytes", "\(length)")
        }
        dataStart = 8 + Int(length)
        let text = [UInt8](bytes.dropFirst(8).prefix(Int(length)))
        guard text.first == UInt8(ascii: "{") else { throw malformed("header", "a JSON object", "something else") }
        let json: StrictJSON
        do { json = try StrictJSON(text) } catch {
            throw malformed("header, \(error.place)", "JSON", error.found)
        }
        guard case .object(let members) = json else { throw malformed("header", "a JSON object", "something else") }
        for (key, value) in members {
            if key == "__metadata__" {
                metadata = try Self.metadata(value, malformed)
            } else {
                entries[key] = try Self.entry(key, value, malformed)
            }
        }
        try checkCoverage(of: bytes.count - dataStart)
    }

    private static func metadata(
        _ value: StrictJSON, _ malformed: (String, String, String) -> ModelFileError
    ) throws(ModelFileError) -> [String: String] {
        guard case .object(let members) = value else { throw malformed("__metadata__", "an object", "something else") }
        var metadata: [String: String] = [:]
        for (key, value) in members {
            guard case .string(let text) = value else {
                throw malformed("__metadata__ \(key)", "a string", "something else")
            }
            metadata[key] = text
        }
        return metadata
    }

    private static func entry(
        _ name: String, _ value: StrictJSON, _ malformed: (String, String, String) -> ModelFileError
    ) throws(ModelFileError) -> Safetensors.Entry {
        guard case .object(let members) = value, Set(members.map(\.key)) == ["dtype", "shape", "data_offsets"] else {
            throw malformed(name, "dtype, shape and data_offsets", "another set of keys")
        }
        guard case .string(let code) = value["dtype"] else { throw malformed(name, "a dtype", "no string") }
        guard let type = Safetensors.StoredType(rawValue: code) else {
            throw malformed(name, Safetensors.StoredType.allCases.map(\.rawValue).joined(separator: ", "), code)
        }
        let shape = Shape(try integers(value["shape"], of: name, "shape", malformed))
        let offsets = try integers(value["data_offsets"], of: name, "data_offsets", malformed)
        guard offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1] else {
            throw malformed(name, "two rising data_offsets", "\(offsets)")
        }
        let length = shape.checkedElementCount?.multipliedReportingOverflow(by: type.byteCount)
        guard let length, !length.overflow, length.partialValue == offsets[1] - offsets[0] else {
            throw malformed(name, "data_offsets as long as \(type.rawValue) \(shape)", "\(offsets)")
        }
        return Safetensors.Entry(type: type, shape: shape, range: offsets[0]..<offsets[1])
    }

    private static func integers(
        _ value: StrictJSON?, of name: String, _ key: String, _ malformed: (String, String, String) -> ModelFileError
    ) throws(ModelFileError) -> [Int] {
        guard case .array(let elements) = value else { throw malformed(name, "\(key) as a list", "something else") }
        var integers: [Int] = []
        for element in elements {
            guard case .integer(let integer) = element, integer >= 0 else {
                throw malformed(name, "\(key) of integers that are not negative", "something else")
            }
            integers.append(integer)
        }
        return integers
    }

    /// The tensors lie end to end and reach from the first to the last byte of the data.
    private func checkCoverage(of dataBytes: Int) throws(ModelFileError) {
        var end = 0
        let inOrder = entries.sorted {
            ($0.value.range.lowerBound, $0.value.range.upperBound) < (
                $1.value.range.lowerBound, $1.value.range.upperBound
            )
        }
        for (name, entry) in inOrder {
            guard entry.range.lowerBound == end else {
                throw .malformed(
                    file: file, part: name, expected: "data that starts at byte \(end), without overlap or hole",
                    found: "\(entry.range.lowerBound)")
            }
            end = entry.range.upperBound
        }
        guard end == dataBytes else {
            throw .malformed(file: file, part: "data", expected: "\(end) bytes", found: "\(dataBytes)")
        }
    }
}
