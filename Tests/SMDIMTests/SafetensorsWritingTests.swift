import ComputeCore
import Foundation
import SMDIM
import Testing
import _TestSupport

@Suite struct SafetensorsWritingTests {
    private static let floats: [Float] = [
        0, -0.0, 1, -1.5, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 3.14159274,
    ]

    private func roundTrip(_ values: [Float], as type: Safetensors.StoredType) throws -> [Float] {
        let bytes = try Safetensors.encode(["x": HostTensor([values.count], values)], as: type)
        let file = try Safetensors(bytes, named: "x")
        #expect(file.entries["x"]?.type == type && file.entries["x"]?.range.count == type.byteCount * values.count)
        return try file.tensor("x").floats()
    }

    @Test func float32KeepsEveryBit() throws {
        #expect(try roundTrip(Self.floats, as: .float32).map(\.bitPattern) == Self.floats.map(\.bitPattern))
    }

    /// 1 + 2⁻¹¹ lies half-way between two halves; 65520 is the least number that rounds to infinity.
    @Test func float16IsRoundedToEven() throws {
        let values: [Float] = [
            1 + 0x1p-11, 1 + 3 * 0x1p-11, 1 + 0x1.01p-11, 65519, 65520, 0x1p-24, 0x1p-25, -0.0, .infinity, .nan,
        ]
        let expected: [Float] = [1, 1 + 0x1p-9, 1 + 0x1p-10, 65504, .infinity, 0x1p-24, 0, -0.0, .infinity, .nan]
        let found = try roundTrip(values, as: .float16)
        #expect(found.dropLast().map(\.bitPattern) == expected.dropLast().map(\.bitPattern))
        #expect(found.last?.isNaN == true)
    }

    /// 1 + 2⁻⁸ lies half-way between two bfloat16; a NaN whose payload lies in the lost bits must not become ∞.
    @Test func bfloat16IsRoundedToEven() throws {
        let values: [Float] = [
            1 + 0x1p-8, 1 + 3 * 0x1p-8, 1 + 0x1.01p-8, .greatestFiniteMagnitude, -0.0, -.infinity,
            Float(bitPattern: 0x7F80_0001),
        ]
        let expected: [Float] = [1, 1 + 0x1p-6, 1 + 0x1p-7, .infinity, -0.0, -.infinity, .nan]
        let found = try roundTrip(values, as: .bfloat16)
        #expect(found.dropLast().map(\.bitPattern) == expected.dropLast().map(\.bitPattern))
        #expect(found.last?.isNaN == true)
    }

    @Test(arguments: Safetensors.StoredType.allCases)
    func integersAreKeptWhateverFloatsBecome(_ type: Safetensors.StoredType) throws {
        guard type != .int32 else { return }
        let values: [Int32] = [.min, -1, 0, 1, .max]
        let bytes = try Safetensors.encode(["i": HostTensor([5, 1], values)], as: type)
        #expect(try Safetensors(bytes, named: "x").tensor("i") == HostTensor([5, 1], values))
    }

    @Test func bytesAreThoseOfTheFormat() throws {
        let bytes = try Safetensors.encode(
            ["b": HostTensor([1], [-2] as [Int32]), "a": HostTensor([1, 2], [1, 0.5] as [Float])], as: .bfloat16,
            metadata: ["k": "v"])
        let header = """
            {"__metadata__":{"k":"v"},"a":{"data_offsets":[0,4],"dtype":"BF16","shape":[1,2]},\
            "b":{"data_offsets":[4,8],"dtype":"I32","shape":[1]}}
            """
        let padded = header + String(repeating: " ", count: 136 - header.utf8.count)
        let length: [UInt8] = [136, 0, 0, 0, 0, 0, 0, 0]
        #expect(bytes == Data(length) + Data(padded.utf8) + Data([0x80, 0x3F, 0x00, 0x3F, 0xFE, 0xFF, 0xFF, 0xFF]))
    }

    @Test func equalArgumentsGiveEqualBytes() throws {
        func bytes(_ names: [String]) throws -> Data {
            var tensors: [String: HostTensor] = [:]
            for name in names { tensors[name] = try HostTensor([1], [Float(name.utf8.count)]) }
            return try Safetensors.encode(tensors, metadata: ["x": "1", "y": "2", "z": "3"])
        }
        let names = (0..<50).map { "layer.\($0 * 37 % 50).weight" }
        #expect(try bytes(names) == bytes(names.reversed()))
    }

    @Test func nothingIsHalfWritten() throws {
        let folder = try TemporaryFolder()
        let tensor = try HostTensor([1], [1] as [Float])
        try Safetensors.write(["a": tensor], to: folder.url.appending(path: "a.safetensors"))
        #expect(try Safetensors(contentsOf: folder.url.appending(path: "a.safetensors")).tensor("a") == tensor)
        let error = #expect(throws: ModelFileError.self) {
            try Safetensors.write(["a": tensor], to: folder.url.appending(path: "none/a.safetensors"))
        }
        #expect(error?.description.contains("none/a.safetensors: cannot be written") == true)
        #expect(folder.names == ["a.safetensors"])
    }
}
