public import ComputeCore
public import Foundation

extension Safetensors {
    /// Writes tensors in the order of their names; the file appears whole or not at all.
    ///
    /// Floats are stored as `floatType`, rounded to nearest even; integers as I32. Equal arguments give equal bytes.
    ///
    /// - Throws: ``ModelFileError/unwritable(file:reason:)``.
    public static func write(
        _ tensors: [String: HostTensor], as floatType: StoredType = .float32, metadata: [String: String] = [:],
        to url: URL
    ) throws(ModelFileError) {
        do {
            try encode(tensors, as: floatType, metadata: metadata).write(to: url, options: .atomic)
        } catch {
            throw .unwritable(file: url.path, reason: error.localizedDescription)
        }
    }

    /// The bytes that ``write(_:as:metadata:to:)`` writes.
    ///
    /// - Throws: an error of the JSON encoder.
    public static func encode(
        _ tensors: [String: HostTensor], as floatType: StoredType = .float32, metadata: [String: String] = [:]
    ) throws -> Data {
        struct Header: Encodable {
            let dtype: String
            let shape: [Int]
            let dataOffsets: [Int]

            enum CodingKeys: String, CodingKey {
                case dtype, shape
                case dataOffsets = "data_offsets"
            }
        }
        var header: [String: Header] = [:]
        var data = Data()
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            let start = data.count
            let type: StoredType
            switch tensor.values {
            case .int32(let values):
                type = .int32
                for value in values { data.append(littleEndian: value) }
            case .float32(let values):
                type = floatType
                for value in values { data.append(value, as: floatType) }
            }
            header[name] = Header(
                dtype: type.rawValue, shape: tensor.shape.dimensions, dataOffsets: [start, data.count])
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var text = try encoder.encode(header)
        if !metadata.isEmpty {
            let prefix = try Data("{\"__metadata__\":".utf8) + encoder.encode(metadata)
            text = prefix + (header.isEmpty ? Data() : Data(",".utf8)) + text.dropFirst()
        }
        // The data starts at a multiple of eight bytes, so that a mapped file can be read in place.
        text.append(Data(repeating: UInt8(ascii: " "), count: text.count.roundedUp(to: 8) - text.count))
        var file = Data()
        file.append(littleEndian: UInt64(text.count))
        return file + text + data
    }
}

extension Data {
    fileprivate mutating func append(littleEndian value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    fileprivate mutating func append(_ value: Float, as type: Safetensors.StoredType) {
        switch type {
        case .float16: append(littleEndian: Float16(value).bitPattern)
        case .bfloat16: append(littleEndian: UInt16(truncatingIfNeeded: value.bfloat16Bits))
        case .float32, .int32: append(littleEndian: value.bitPattern)
        }
    }
}

extension Float {
    /// The nearest bfloat16, ties to even; NaN stays NaN.
    fileprivate var bfloat16Bits: UInt32 {
        isNaN ? bitPattern >> 16 | 0x40 : (bitPattern &+ 0x7FFF &+ ((bitPattern >> 16) & 1)) >> 16
    }
}
