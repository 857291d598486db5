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
        let start = data.startIndex + entry.range.lowerBound
        let bytes = data[start..<start + entry.range.count]
        do {
            return switch entry.type {
            case .int32: try HostTensor(entry.shape, elements(bytes) { Int32(bitPattern: $0) })
            case .float32: try HostTensor(entry.shape, elements(bytes) { Float(bitPattern: $0) })
            case .float16: try HostTensor(entry.shape, elements(bytes) { Float(halfBits: $0) })
            case .bfloat16: try HostTensor(entry.shape, elements(bytes) { Float(bfloat16Bits: $0) })
            }
        } catch {
            throw .malformed(file: file, part: name, expected: "as many elements as its shape", found: "\(error)")
        }
    }

    /// The elements of a tensor that is stored in a type of floats.
    ///
    /// - Throws: ``ModelFileError``.
    public func floats(_ name: String) throws(ModelFileError) -> [Float] {
        guard case .float32(let values) = try tensor(name).values else {
            throw typeMismatch(name, expected: "F32, F16 or BF16")
        }
        return values
    }

    /// The elements of a tensor that is stored as I32.
    ///
    /// - Throws: ``ModelFileError``.
    public func integers(_ name: String) throws(ModelFileError) -> [Int32] {
        guard case .int32(let values) = try tensor(name).values else { throw typeMismatch(name, expected: "I32") }
        return values
    }

    private func typeMismatch(_ name: String, expected: String) -> ModelFileError {
        .malformed(file: file, part: name, expected: expected, found: entries[name].map(\.type.rawValue) ?? "none")
    }
}

/// Every little-endian element of the bytes, converted.
@inline(__always)
private func elements<Stored: FixedWidthInteger & BitwiseCopyable, Element>(
    _ data: Data, _ convert: (Stored) -> Element
) -> [Element] {
    data.withUnsafeBytes { bytes in
        let width = MemoryLayout<Stored>.size
        return [Element](unsafeUninitializedCapacity: bytes.count / width) { target, count in
            count = bytes.count / width
            for i in 0..<count {
                let stored = bytes.loadUnaligned(fromByteOffset: i * width, as: Stored.self)
                target.initializeElement(at: i, to: convert(Stored(littleEndian: stored)))
            }
        }
    }
}

extension Float {
    /// The value of an IEEE half.
    ///
    /// Its bits are moved to where a float has exponent and fraction, the exponent's bias changed from 15 to 127; that of
    /// infinities and NaN is all ones, and denormal halves are a number of 2⁻²⁴. `Float(Float16)` is a library call for each
    /// element, by which a model took three times as long to read: x86-64's baseline lacks the instruction.
    fileprivate init(halfBits bits: UInt16) {
        let normal = Float(bitPattern: UInt32(bits & 0x7FFF) << 13 + (127 - 15) << 23)
        let magnitude = bits & 0x7C00 == 0 ? Float(bits & 0x3FF) * 0x1p-24 : normal
        let unbounded: UInt32 = bits & 0x7C00 == 0x7C00 ? 0x7F80_0000 : 0
        self.init(bitPattern: magnitude.bitPattern | unbounded | UInt32(bits & 0x8000) << 16)
    }
}
