import Foundation
import OpenCLBackend
import OpenCLRuntime
import Testing
import _DriverFaults
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

        private func binaries() throws -> [URL] {
            try files().filter { $0.pathExtension == "clbin" }
        }

        /// In a process of its own, because the environment belongs to all tests. `SMDIM_CACHE_DIR` moves no tuning file.
        @Test func automaticFollowsTheEnvironment() async throws {
            let home = folder.path
            await #expect(processExitsWith: .success) { [home = home as String] in
                let device = try Device.select()
                func holdsBinaries(_ path: String) throws -> Bool {
                    _ = try Context(device: device, binaryCache: .automatic).program(OnDevice.scale)
                    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
                    return names.contains { $0.hasSuffix(".clbin") }
                }
                let variables = ["XDG_CACHE_HOME": home + "/xdg", "SMDIM_CACHE_DIR": home + "/own"]
                for name in variables.keys { unsetenv(name) }
                setenv("HOME", home, 1)
                #expect(Tuning.defaultFile(for: device).path.hasPrefix(home + "/.cache/smdim/tuning-"))
                #expect(try holdsBinaries(home + "/.cache/smdim"))
                for (name, value) in variables { setenv(name, value, 1) }
                #expect(Tuning.defaultFile(for: device).path.hasPrefix(home + "/xdg/smdim/tuning-"))
                #expect(try holdsBinaries(home + "/own"))
                setenv("SMDIM_CACHE_DIR", "off", 1)
                #expect(try !holdsBinaries(home + "/xdg/smdim"))
                setenv("SMDIM_CACHE_DIR", "", 1)
                #expect(try holdsBinaries(home + "/xdg/smdim"))
            }
        }

        @Test func secondContextTakesTheBinary() throws {
            #expect(try origin(of: OnDevice.scale) == .source)
            #expect(try binaries().count == 1)
            #expect(try origin(of: OnDevice.scale) == .diskCache)
            #expect(try origin(of: other, expected: OnDevice.scaled.map { $0 + 6 }) == .source)
            #expect(try binaries().count == 2)
            #expect(try origin(of: OnDevice.scale) == .diskCache)
        }

        /// Of contexts that ask at once one compiles, and the others load what it saved.
        @Test func oneCompilesForAll() async throws {
            for program in [OnDevice.scale, other] {
                let expected = OnDevice.scaled.map { program == other ? $0 + 6 : $0 }
                let origins = try await withThrowingTaskGroup(of: Program.Origin.self) { group in
                    for _ in 0..<4 { group.addTask { try origin(of: program, expected: expected) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(origins.count { $0 == .source } == 1, "\(origins)")
            }
            #expect(try files().allSatisfy { $0.pathExtension != "lock" })
        }

        @Test func aLockOfAKilledProcessIsNoObstacle() throws {
            #expect(try origin(of: OnDevice.scale) == .source)
            let binary = try #require(try binaries().first)
            let lock = binary.deletingPathExtension().appendingPathExtension("lock")
            try FileManager.default.moveItem(at: binary, to: lock)
            #expect(try origin(of: OnDevice.scale) == .source)
            #expect(!FileManager.default.fileExists(atPath: lock.path))
        }

        @Test func damagedFilesMeanCompile() throws {
            #expect(try origin(of: OnDevice.scale) == .source)
            let file = try #require(try binaries().first)
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
            let first = try #require(try binaries().first)
            #expect(try origin(of: other, expected: OnDevice.scaled.map { $0 + 6 }) == .source)
            let second = try #require(try binaries().first { $0.lastPathComponent != first.lastPathComponent })
            try Data(contentsOf: second).write(to: first)
            #expect(try origin(of: OnDevice.scale) == .source)
        }

        /// Of two programs that are 61 days old one is loaded before the next is saved; of two other files, the one of 59
        /// days is too young and the old one is not the cache's.
        @Test func forgottenFilesAreDeleted() throws {
            #expect(try origin(of: OnDevice.scale) == .source)
            #expect(try origin(of: other, expected: OnDevice.scaled.map { $0 + 6 }) == .source)
            for name in ["notes.txt", "young.clbin"] { try Data().write(to: folder.appending(path: name)) }
            for file in try files() { try age(file, days: file.lastPathComponent == "young.clbin" ? 59 : 61) }
            #expect(try origin(of: OnDevice.scale) == .diskCache)
            try saveAnother(1)
            let names = try Set(files().map(\.lastPathComponent))
            #expect(names.count == 5 && names.isSuperset(of: ["notes.txt", "young.clbin", "swept"]), "\(names)")
            #expect(try origin(of: OnDevice.scale) == .diskCache)
            #expect(try origin(of: other, expected: OnDevice.scaled.map { $0 + 6 }) == .source)
        }

        @Test func aDaySweepsOnce() throws {
            try saveAnother(1)
            let old = folder.appending(path: "old.clbin"), swept = folder.appending(path: "swept")
            try Data().write(to: old)
            try age(old, days: 61)
            try age(swept, days: 0.9)
            try saveAnother(2)
            #expect(FileManager.default.fileExists(atPath: old.path))
            for (number, days) in [(3, 1.1), (5, -1)] {
                try age(swept, days: days)
                try saveAnother(number)
                #expect(!FileManager.default.fileExists(atPath: old.path))
                try Data().write(to: old)
                try age(old, days: 61)
                try saveAnother(number + 1)
                #expect(FileManager.default.fileExists(atPath: old.path), "the sweep renewed the time")
            }
        }

        private func age(_ file: URL, days: Double) throws {
            let date = Date(timeIntervalSinceNow: -days * 86_400)
            try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: file.path)
        }

        /// Compiles and so saves a program that differs from every other by a number.
        private func saveAnother(_ number: Int) throws {
            var program = OnDevice.scale
            program.defines.append(.init("UNREAD", number))
            #expect(try origin(of: program) == .source)
        }

        /// The driver takes the binary and has no kernels of it, as after an update that left its version as it was.
        @Test func aStaleBinaryIsCompiledAnewAndReplaced() async throws {
            #expect(try origin(of: OnDevice.scale) == .source)
            let file = try #require(try binaries().first)
            try age(file, days: 0.5)
            await #expect(processExitsWith: .success) { [folder = folder.path as String] in
                provoke(DRIVER_FAULT_STALE_BINARY)
                let context = try Context(device: Device.select(), binaryCache: .folder(folder))
                let program = try context.program(OnDevice.scale)
                #expect(program.origin == .source)
                #expect(try OnDevice.runScale(program, in: context) == OnDevice.scaled)
            }
            let date = try file.resourceValues(forKeys: [.contentModificationDateKey]).contentModificationDate
            #expect(try #require(date).timeIntervalSinceNow > -3600, "the file is written anew")
        }

        @Test func kernelsAreCreatedBeforeTheBinaryIsSaved() async throws {
            await #expect(processExitsWith: .success) { [folder = folder.path as String] in
                provoke(DRIVER_FAULT_LAZY_COMPILER)
                _ = try Context(device: Device.select(), binaryCache: .folder(folder)).program(OnDevice.scale)
            }
            #expect(try origin(of: OnDevice.scale) == .diskCache)
        }

        @Test func aProgramThatCameWithAnErrorIsReleased() async throws {
            #expect(try origin(of: OnDevice.scale) == .source)
            await #expect(processExitsWith: .success) { [folder = folder.path as String] in
                provoke(DRIVER_FAULT_REFUSED_BINARY)
                let context = try Context(device: Device.select(), binaryCache: .folder(folder))
                #expect(try context.program(OnDevice.scale).origin == .source)
                #expect(references_of_refused_program() == 0)
            }
        }

        @Test func anUnusableFolderMeansCompile() throws {
            try Data("a file".utf8).write(to: folder)
            for _ in 0..<2 { #expect(try origin(of: OnDevice.scale) == .source) }
            #expect(try Data(contentsOf: folder) == Data("a file".utf8))
        }
    }
}
