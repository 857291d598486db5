import Foundation
import OpenCLRuntime
import Testing
import _TestSupport

extension OnDevice {
    /// The disk cache, forced on where PoCL's own would do.
    @Suite struct BinaryCacheTests {
        private let folder: URL

        init() throws {
            folder = try TemporaryFolder().url.appending(path: "cache")
        }

        /// Another program than `scale` under the same names.
        private var other: Specialisation {
            var other = OnDevice.scale
            other.defines = [.init("FACTOR_OF_SHIFT", 7)]
            return other
        }

        /// Where a fresh context got the program from, having checked what it computes.
        private func origin(of specialisation: Specialisation, expected: [Float] = OnDevice.scaled) throws
            -> Program.Origin
        {
            let context = try Context(device: Device.select(), binaryCache: .folder(folder.path))
            let program = try context.program(specialisation)
            #expect(try OnDevice.runScale(program, in: context) == expected)
            return program.origin
        }

        private func files() throws -> [URL] {
            try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        }

        @Test func secondContextTakesTheBinary() throws {
            #expect(try origin(of: OnDevice.scale) == .source)
            #expect(try files().count == 1)
            #expect(try origin(of: OnDevice.scale) == .diskCache)
            #expect(try origin(of: other, expected: OnDevice.scaled.map { $0 + 6 }) == .source)
            #expect(try files().count == 2)
            #expect(try origin(of: OnDevice.scale) == .diskCache)
        }

        @Test func damagedFilesMeanCompile() throws {
            #expect(try origin(of: OnDevice.scale) == .source)
            let file = try #require(try files().first)
            let whole = try Data(contentsOf: file)
            var damaged: [Data] = [0, 7, 31, 32, 200, whole.count / 2, whole.count - 1].map { whole.prefix($0) }
            damaged.append(whole + [0])
            damaged.append(Data((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 31) }))
            for index in [0, 8, 15, 16, 23, 24, 40, whole.count - 100, whole.count - 1] {
                var flipped = whole
                flipped[index] ^= 0x80
                damaged.append(flipped)
            }
            for data in damaged {
                try data.write(to: file)
                #expect(try origin(of: OnDevice.scale) == .source)
                #expect(try Data(contentsOf: file).count == whole.count, "the file is made good")
                #expect(try origin(of: OnDevice.scale) == .diskCache)
            }
        }

        @Test func swappedFilesMeanCompile() throws {
            #expect(try origin(of: OnDevice.scale) == .source)
            let first = try #require(try files().first)
            #expect(try origin(of: other, expected: OnDevice.scaled.map { $0 + 6 }) == .source)
            let second = try #require(try files().first { $0.lastPathComponent != first.lastPathComponent })
            try Data(contentsOf: second).write(to: first)
            #expect(try origin(of: OnDevice.scale) == .source)
        }

        /// Of two programs that are 61 days old one is loaded before the next is saved; of two other files, the one of 59
        /// days is too young and the old one is not the cache's.
        @Test func forgottenFilesAreDeleted() throws {
            #expect(try origin(of: OnDevice.scale) == .source)
            #expect(try origin(of: other, expected: OnDevice.scaled.map { $0 + 6 }) == .source)
            for name in ["notes.txt", "young.clbin"] { try Data().write(to: folder.appending(path: name)) }
            for file in try files() {
                let days: Double = file.lastPathComponent == "young.clbin" ? 59 : 61
                let date = Date(timeIntervalSinceNow: -days * 86_400)
                try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: file.path)
            }
            #expect(try origin(of: OnDevice.scale) == .diskCache)
            var next = OnDevice.scale
            next.defines.append(.init("UNREAD", 1))
            #expect(try origin(of: next) == .source)
            let names = try Set(files().map(\.lastPathComponent))
            #expect(names.count == 4 && names.isSuperset(of: ["notes.txt", "young.clbin"]), "\(names)")
            #expect(try origin(of: OnDevice.scale) == .diskCache)
            #expect(try origin(of: other, expected: OnDevice.scaled.map { $0 + 6 }) == .source)
        }

        @Test func anUnusableFolderMeansCompile() throws {
            try Data("a file".utf8).write(to: folder)
            for _ in 0..<2 { #expect(try origin(of: OnDevice.scale) == .source) }
            #expect(try Data(contentsOf: folder) == Data("a file".utf8))
        }
    }
}
