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
            try encode(tensors, as: floatType, metadata: metadata).writeWhole(to: url)
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
        let sorted = tensors.sorted { $0.key < $1.key }
        var header: [String: Header] = [:]
        var end = 0
        for (name, tensor) in sorted {
            let start = end
            let type = tensor.elementType == .int32 ? StoredType.int32 : floatType
            end += type.byteCount * tensor.shape.elementCount
            header[name] = Header(dtype: type.rawValue, shape: tensor.shape.dimensions, dataOffsets: [start, end])
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
        var file = Data(capacity: 8 + text.count + end)
        file.append(littleEndian: [UInt64(text.count)]) { $0 }
        file.append(text)
        for (_, tensor) in sorted {
            switch (tensor.values, floatType) {
            case (.int32(let values), _): file.append(littleEndian: values) { $0 }
            case (.float32(let values), .float16): file.append(littleEndian: values) { Float16($0).bitPattern }
            case (.float32(let values), .bfloat16): file.append(littleEndian: values) { $0.bfloat16Bits }
            case (.float32(let values), _): file.append(littleEndian: values) { $0.bitPattern }
            }
        }
        return file
    }
}

extension Data {
    /// Appends what becomes of each value, an array at a time: byte by byte a checkpoint of 120 MB took 14 s.
    @inline(__always)
    fileprivate mutating func append<Value, Stored: FixedWidthInteger & BitwiseCopyable>(
        littleEndian values: [Value], _ stored: (Value) -> Stored
    ) {
        values.map { stored($0).littleEndian }.withUnsafeBytes { append(contentsOf: $0) }
    }
}

extension Float {
    /// The nearest bfloat16, ties to even; NaN stays NaN.
    fileprivate var bfloat16Bits: UInt16 {
        let rounded = isNaN ? bitPattern | 0x40_0000 : bitPattern &+ 0x7FFF &+ ((bitPattern >> 16) & 1)
        return UInt16(truncatingIfNeeded: rounded >> 16)
    }
}
