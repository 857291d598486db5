import ComputeCore
import Foundation
import SMDIM
import Testing
import _TestSupport

/// A file that breaks one rule of the format.
struct MalformedFile: Sendable, CustomStringConvertible {
    let description: String
    var header: String
    var dataBytes = 0
    /// What stands in the first eight bytes; the header's length if nil.
    var declaredLength: UInt64?
    /// The part that the error names.
    var part: String
    /// Words of the error.
    var says: String

    var bytes: Data {
        let length = declaredLength ?? UInt64(header.utf8.count)
        let prefix = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
        return Data(prefix) + Data(header.utf8) + Data(count: dataBytes)
    }
}

@Suite struct SafetensorsReadingTests {
    private static func tensor(_ name: String, _ type: String, _ shape: String, _ offsets: String) -> String {
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
    }

    private static let lengths = [
        MalformedFile(
            description: "no header", header: "", declaredLength: 2, part: "header length",
            says: "at most 0 bytes, found 2"),
        MalformedFile(
            description: "a header longer than the file", header: "{}", declaredLength: 3, part: "header length",
            says: "at most 2 bytes, found 3"),
        MalformedFile(
            description: "a header longer than memory", header: "{}", declaredLength: .max, part: "header length",
            says: "found 18446744073709551615"),
        MalformedFile(
            description: "data cut short", header: "{\(tensor("a", "F32", "[2]", "[0,8]"))}", dataBytes: 7,
            part: "data",
            says: "expected 8 bytes, found 7"),
        MalformedFile(
            description: "data behind the last tensor", header: "{\(tensor("a", "F32", "[2]", "[0,8]"))}", dataBytes: 9,
            part: "data", says: "expected 8 bytes, found 9"),
    ]

    private static let headers = [
        MalformedFile(description: "no object", header: "[]", part: "header", says: "a JSON object"),
        MalformedFile(description: "space in front", header: " {}", part: "header", says: "a JSON object"),
        MalformedFile(description: "no JSON", header: "{\"a\":}", part: "header, byte 5", says: "no value"),
        MalformedFile(description: "text behind", header: "{} x", part: "header, byte 3", says: "text after the value"),
        MalformedFile(
            description: "a key twice",
            header: "{\(tensor("a", "F32", "[1]", "[0,4]")),\(tensor("a", "F32", "[1]", "[0,4]"))}", dataBytes: 4,
            part: "header, byte 57", says: "the key \"a\" twice"),
        MalformedFile(
            description: "a key twice inside", header: "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}",
            part: "header, byte 27", says: "the key \"dtype\" twice"),
        MalformedFile(
            description: "metadata that is no object", header: "{\"__metadata__\":[]}", part: "__metadata__",
            says: "an object"),
        MalformedFile(
            description: "metadata that is no string", header: "{\"__metadata__\":{\"k\":1}}", part: "__metadata__ k",
            says: "a string"),
    ]

    private static let entries = [
        MalformedFile(description: "no entry", header: "{\"a\":1}", part: "a", says: "dtype, shape and data_offsets"),
        MalformedFile(
            description: "a key too few", header: "{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", part: "a",
            says: "dtype, shape and data_offsets"),
        MalformedFile(
            description: "a key too many",
            header: "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":0}}", dataBytes: 4, part: "a",
            says: "another set of keys"),
        MalformedFile(
            description: "an unknown type", header: "{\(tensor("a", "F64", "[1]", "[0,8]"))}", dataBytes: 8, part: "a",
            says: "F32, F16, BF16, I32, found F64"),
        MalformedFile(
            description: "a type in lower case", header: "{\(tensor("a", "f32", "[1]", "[0,4]"))}", dataBytes: 4,
            part: "a", says: "found f32"),
        MalformedFile(
            description: "a negative extent", header: "{\(tensor("a", "F32", "[-1]", "[0,4]"))}", dataBytes: 4,
            part: "a",
            says: "shape of integers"),
        MalformedFile(
            description: "a broken extent", header: "{\(tensor("a", "F32", "[1.0]", "[0,4]"))}", dataBytes: 4,
            part: "a",
            says: "shape of integers"),
        MalformedFile(
            description: "a product that overflows",
            header: "{\(tensor("a", "F32", "[4294967296,4294967296]", "[0,0]"))}", part: "a", says: "as long as F32"),
        MalformedFile(
            description: "bytes that overflow", header: "{\(tensor("a", "F32", "[4611686018427387904]", "[0,0]"))}",
            part: "a", says: "as long as F32"),
        MalformedFile(
            description: "an extent beyond 64 bits",
            header: "{\(tensor("a", "F32", "[99999999999999999999]", "[0,4]"))}", dataBytes: 4, part: "a",
            says: "shape of integers"),
        MalformedFile(
            description: "a length that is not the shape's", header: "{\(tensor("a", "F16", "[3]", "[0,8]"))}",
            dataBytes: 8, part: "a", says: "as long as F16 [3], found [0, 8]"),
        MalformedFile(
            description: "falling offsets", header: "{\(tensor("a", "F32", "[1]", "[4,0]"))}", dataBytes: 4, part: "a",
            says: "two rising data_offsets"),
        MalformedFile(
            description: "negative offsets", header: "{\(tensor("a", "F32", "[1]", "[-4,0]"))}", dataBytes: 4,
            part: "a",
            says: "data_offsets of integers"),
        MalformedFile(
            description: "three offsets", header: "{\(tensor("a", "F32", "[1]", "[0,4,4]"))}", dataBytes: 4, part: "a",
            says: "two rising data_offsets"),
        MalformedFile(
            description: "a tensor beyond the end", header: "{\(tensor("a", "F32", "[4]", "[0,16]"))}", dataBytes: 4,
            part: "data", says: "expected 16 bytes, found 4"),
        MalformedFile(
            description: "overlap",
            header: "{\(tensor("a", "F32", "[2]", "[0,8]")),\(tensor("b", "F32", "[2]", "[4,12]"))}", dataBytes: 12,
            part: "b", says: "starts at byte 8, without overlap or hole, found 4"),
        MalformedFile(
            description: "a hole",
            header: "{\(tensor("a", "F32", "[1]", "[0,4]")),\(tensor("b", "F32", "[1]", "[8,12]"))}",
            dataBytes: 12, part: "b", says: "starts at byte 4, without overlap or hole, found 8"),
        MalformedFile(
            description: "a hole in front", header: "{\(tensor("a", "F32", "[1]", "[4,8]"))}", dataBytes: 8, part: "a",
            says: "starts at byte 0, without overlap or hole, found 4"),
    ]

    @Test(arguments: lengths + headers + entries)
    func brokenRulesAreNamed(_ file: MalformedFile) throws {
        let error = #expect(throws: ModelFileError.self) { try Safetensors(file.bytes, named: "x.safetensors") }
        guard case .malformed(file: "x.safetensors", let part, _, _)? = error, let error else {
            Issue.record("unexpected \(String(describing: error))")
            return
        }
        #expect(part == file.part)
        #expect(error.description.contains(file.says), "\(error)")
        #expect(!error.description.contains("\n"))
    }

    @Test(arguments: 0..<8) func fewerThanEightBytesAreNoFile(_ count: Int) {
        #expect(
            throws: ModelFileError.malformed(
                file: "x", part: "header length", expected: "8 bytes", found: "\(count)")
        ) { try Safetensors(Data(count: count), named: "x") }
    }

    /// A file of holes, whose header is as long as it says and longer than any header may be.
    @Test func aHugeHeaderIsNotRead() throws {
        let url = try TemporaryFolder().url.appending(path: "huge.safetensors")
        let length = UInt64(Safetensors.maximumHeaderBytes + 1)
        try Data((0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }).write(to: url)
        let handle = try FileHandle(forWritingTo: url)
        try handle.truncate(atOffset: 8 + length)
        try handle.close()
        let error = #expect(throws: ModelFileError.self) { try Safetensors(contentsOf: url) }
        #expect(error?.description.contains("at most \(Safetensors.maximumHeaderBytes) bytes, found \(length)") == true)
    }

    /// Cut anywhere, a sound file gives an error and nothing worse; changed anywhere, an error or another file.
    @Test func everyCutAndEveryChangedByteIsSurvived() throws {
        let whole = try Safetensors.encode([
            "a": HostTensor([2, 2], [1, 2, 3, 4] as [Float]), "b": HostTensor([1], [7] as [Int32]),
        ])
        for length in 0..<whole.count {
            #expect(throws: ModelFileError.self) { try Safetensors(whole.prefix(length), named: "x") }
        }
        for index in whole.indices {
            for bit in 0..<8 {
                var changed = whole
                changed[index] ^= 1 << bit
                guard let file = try? Safetensors(changed, named: "x") else { continue }
                for name in file.entries.keys { #expect(throws: Never.self) { try file.tensor(name) } }
            }
        }
    }

    @Test func whatIsLegalIsRead() throws {
        let header =
            "{" + Self.tensor("scalar", "F32", "[]", "[0,4]") + "," + Self.tensor("empty", "F16", "[3,0]", "[4,4]")
            + ","
            + "\"__metadata__\":{\"format\":\"pt\",\"caf\\u00e9\":\"\\ud83c\\udfb5 \\\"x\\\"\"}}   "
        let file = MalformedFile(description: "", header: header, dataBytes: 4, part: "", says: "")
        let read = try Safetensors(file.bytes, named: "x")
        #expect(try read.tensor("scalar") == HostTensor([], [0] as [Float]))
        #expect(try read.tensor("empty") == HostTensor([3, 0], [] as [Float]))
        #expect(read.metadata == ["format": "pt", "café": "🎵 \"x\""])
        #expect(
            try Safetensors(MalformedFile(description: "", header: "{}", part: "", says: "").bytes, named: "x").entries
                .isEmpty)
    }

    @Test func missingFilesAndTensorsAreNamed() throws {
        let error = #expect(throws: ModelFileError.self) {
            try Safetensors(contentsOf: URL(filePath: "/no/such.safetensors"))
        }
        #expect(error?.description.hasPrefix("/no/such.safetensors: cannot be read") == true)
        let file = try Safetensors(Safetensors.encode(["a": HostTensor([1], [1] as [Float])]), named: "x")
        #expect(throws: ModelFileError.malformed(file: "x", part: "b", expected: "a tensor of this name", found: "a")) {
            try file.tensor("b")
        }
    }

    /// Against Swift's own conversion, for every half there is.
    @Test func everyHalfIsWidenedExactly() throws {
        let header = "{\(Self.tensor("a", "F16", "[65536]", "[0,131072]"))}"
        var file = MalformedFile(description: "", header: header, part: "", says: "").bytes
        for bits in UInt16.min...UInt16.max { file += [UInt8(bits & 0xFF), UInt8(bits >> 8)] }
        let found = try Safetensors(file, named: "halves").tensor("a").floats()
        let wrong = found.indices.first { bits in
            let exact = Float(Float16(bitPattern: UInt16(bits)))
            return found[bits].bitPattern != exact.bitPattern && !(found[bits].isNaN && exact.isNaN)
        }
        #expect(wrong == nil)
    }
}
