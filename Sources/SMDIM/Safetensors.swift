public import ComputeCore
public import Foundation

/// A file of named tensors in the safetensors format, checked in full before any of its numbers is trusted.
///
/// Layout: the header's length as u64, little endian; the header, a JSON object from name to dtype, shape and
/// data_offsets; then the data, covered by the tensors without overlap or hole. Source: the format's README in
/// huggingface/safetensors.
public struct Safetensors: Sendable {
    /// How the elements are stored.
    public enum StoredType: String, Hashable, Sendable, CaseIterable {
        case float32 = "F32"
        case float16 = "F16"
        case bfloat16 = "BF16"
        case int32 = "I32"

        /// Bytes of one element.
        public var byteCount: Int { self == .float16 || self == .bfloat16 ? 2 : 4 }
    }

    /// A tensor's type, shape and place in the data.
    public struct Entry: Hashable, Sendable {
        /// How the elements are stored.
        public let type: StoredType
        /// The extents.
        public let shape: Shape
        /// Bytes from the start of the data.
        public let range: Range<Int>
    }

    /// The entries by name.
    public let entries: [String: Entry]
    /// The `__metadata__` object.
    public let metadata: [String: String]
    private let data: Data
    private let file: String

    /// The longest header that is read.
    public static let maximumHeaderBytes = 100_000_000

    /// Opens a file; the tensors' bytes are mapped, not copied.
    ///
    /// - Throws: ``ModelFileError``.
    public init(contentsOf url: URL) throws(ModelFileError) {
        do {
            try self.init(Data(contentsOf: url, options: .mappedIfSafe), named: url.lastPathComponent)
        } catch let error as ModelFileError {
            throw error
        } catch {
            throw .unreadable(file: url.path, reason: error.localizedDescription)
        }
    }

    /// Reads a file's bytes; `name` is what errors call it.
    ///
    /// - Throws: ``ModelFileError/malformed(file:part:expected:found:)``.
    public init(_ bytes: Data, named name: String) throws(ModelFileError) {
        let header = try SafetensorsHeader(bytes, named: name)
        entries = header.entries
        metadata = header.metadata
        data = bytes.dropFirst(header.dataStart)
        file = name
    }

    /// One tensor as float32 or int32; half-width floats are widened exactly.
    ///
    /// - Throws: ``ModelFileError``.
    public func tensor(_ name: String) throws(ModelFileError) -> HostTensor {
        guard let entry = entries[name] else {
            throw .malformed(
                file: file, part: name, expected: "a tensor of this name",
                found: entries.keys.sorted().prefix(8).joined(separator: ", "))
        }
        let bytes = [UInt8](
            data[(data.startIndex + entry.range.lowerBound)..<(data.startIndex + entry.range.upperBound)])
        do {
            switch entry.type {
            case .int32: return try HostTensor(entry.shape, words(bytes).map { Int32(bitPattern: $0) })
            case .float32: return try HostTensor(entry.shape, words(bytes).map { Float(bitPattern: $0) })
            case .float16: return try HostTensor(entry.shape, halves(bytes).map { Float(Float16(bitPattern: $0)) })
            case .bfloat16:
                return try HostTensor(entry.shape, halves(bytes).map { Float(bitPattern: UInt32($0) << 16) })
            }
        } catch {
            throw .malformed(file: file, part: name, expected: "as many elements as its shape", found: "\(error)")
        }
    }
}

private func words(_ bytes: [UInt8]) -> [UInt32] {
    (0..<bytes.count / 4).map { i in
        UInt32(bytes[4 * i]) | UInt32(bytes[4 * i + 1]) << 8 | UInt32(bytes[4 * i + 2]) << 16
            | UInt32(bytes[4 * i + 3]) << 24
    }
}

private func halves(_ bytes: [UInt8]) -> [UInt16] {
    (0..<bytes.count / 2).map { UInt16(bytes[2 * $0]) | UInt16(bytes[2 * $0 + 1]) << 8 }
}
