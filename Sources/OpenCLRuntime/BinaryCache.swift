public import Foundation

/// Where a context keeps compiled programs between runs.
public enum BinaryCache: Sendable, Hashable {
    /// The folder that the environment variable `SMDIM_CACHE_DIR` names (`off`: none), else ``userFolder``. PoCL keeps a cache
    /// of its own beside it, but runs the compiler's front end on every source to find its place there, which takes longer
    /// than loading a binary.
    case automatic
    /// Nowhere.
    case off
    /// In this folder, on every device.
    case folder(String)

    /// The driver's own cache alone where it keeps one (PoCL), for programs that run a few times only, as in tests: before PoCL
    /// hands out a binary it compiles every kernel once more, for work-groups of any size, so that a first run takes twice as
    /// long. On other devices ``automatic``.
    public static func driversOwn(on device: Device) -> BinaryCache { device.isPoCL ? .off : .automatic }

    /// The project's folder among the user's caches, where tuning files lie, too: `$XDG_CACHE_HOME/smdim`, else
    /// `~/.cache/smdim`.
    public static var userFolder: URL {
        // Foundation's home directory is the account's, whatever `HOME` says.
        let home = environment("HOME") ?? FileManager.default.homeDirectoryForCurrentUser.path
        let caches = environment("XDG_CACHE_HOME") ?? home + "/.cache"
        return URL(filePath: caches + "/smdim", directoryHint: .isDirectory)
    }

    /// The value of a variable; nil if it is unset or empty.
    private static func environment(_ variable: String) -> String? {
        ProcessInfo.processInfo.environment[variable].flatMap { $0.isEmpty ? nil : $0 }
    }

    func store(for device: Device) -> BinaryStore? {
        switch self {
        case .off: return nil
        case .folder(let path): return BinaryStore(folder: URL(filePath: path, directoryHint: .isDirectory))
        case .automatic:
            let folder = Self.environment("SMDIM_CACHE_DIR")
            if folder == "off" { return nil }
            return BinaryStore(folder: folder.map { URL(filePath: $0, directoryHint: .isDirectory) } ?? Self.userFolder)
        }
    }
}

/// Compiled programs on disk, one file each.
///
/// **Key.** The text of format version, device, driver, platform, options and source. Its 128-bit FNV-1a hash names the
/// file and the file holds the text itself, so that a collision of hashes cannot return another program.
///
/// **File.** All numbers are 64-bit little-endian:
/// `"SMDIMCLB"` · bytes of key · bytes of binary · 64-bit FNV-1a hash of key and binary · key · binary.
///
/// **Age.** A load renews its file's date of modification, to the day. A save deletes the files that were not loaded for
/// sixty days, which older versions, drivers and settings left behind, but once in a day, for a cold start saves dozens; the
/// file `swept` bears the time. A time in the future counts as long ago.
///
/// **Concurrency.** Files are written beside their place and renamed, so that a file under its name is whole. Who fills an
/// entry holds its lock, so that of processes that start together one compiles a program and the others load it. That is
/// more than thrift: while PoCL (3.1) hands out a binary, which it does by listing the program's folder in its own cache, and
/// while it takes one, by writing files there in their places, another process at the same program may crash it.
///
/// **Failure.** A cache may always fail. Whatever is wrong (no folder, a cut or foreign file, a full disk) means that
/// there is no binary, and the caller compiles. The folder may be deleted at any time.
struct BinaryStore: Sendable {
    let folder: URL

    static func key(device: Device, options: String, text: String) -> [UInt8] {
        let parts = [
            "1", device.name, device.vendor, device.driverVersion, device.platformName, device.platformVersion, options,
        ]
        return Array((parts.joined(separator: "\n") + "\n" + text).utf8)
    }

    /// What is kept of one program, or could be.
    struct Entry {
        fileprivate let store: BinaryStore
        fileprivate let key: [UInt8]
        /// Whether nobody else fills it meanwhile, and a binary can be saved.
        let isHeld: Bool

        func load() -> [UInt8]? { store.load(key: key) }

        func save(_ binary: [UInt8]) { store.save(binary, key: key) }
    }

    /// Runs `body` with the entry of that key, which nobody else uses meanwhile.
    func withEntry<Result: ~Copyable, Failure>(
        key: [UInt8], _ body: (Entry) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try? FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let lock = file(of: key).deletingPathExtension().appendingPathExtension("lock")
        return try withFileLock(at: lock.path) { isHeld throws(Failure) in
            try body(Entry(store: self, key: key, isHeld: isHeld))
        }
    }

    private func load(key: [UInt8]) -> [UInt8]? {
        let file = file(of: key)
        guard let data = try? Data(contentsOf: file) else { return nil }
        let bytes = [UInt8](data)
        let header = Self.header(key: key, binary: bytes.dropFirst(Self.headerSize + key.count))
        guard bytes.starts(with: header), bytes.dropFirst(Self.headerSize).starts(with: key) else { return nil }
        if days(since: file) ?? 0 > 1 {
            try? FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: file.path)
        }
        return Array(bytes.dropFirst(Self.headerSize + key.count))
    }

    private func save(_ binary: [UInt8], key: [UInt8]) {
        let content = Data(Self.header(key: key, binary: binary[...]) + key + binary)
        try? content.write(to: file(of: key), options: .atomic)
        deleteForgotten()
    }

    private func deleteForgotten() {
        let swept = folder.appendingPathComponent("swept")
        guard days(since: swept) ?? .infinity > 1, (try? Data().write(to: swept)) != nil else { return }
        let files = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        for file in files ?? [] where file.pathExtension == Self.fileExtension && days(since: file) ?? 0 > 60 {
            try? FileManager.default.removeItem(at: file)
        }
    }

    /// The age of a file; nil if it cannot be told.
    private func days(since file: URL) -> Double? {
        let date = try? FileManager.default.attributesOfItem(atPath: file.path)[.modificationDate] as? Date
        return date.map { $0.timeIntervalSinceNow > 60 ? .infinity : -$0.timeIntervalSinceNow / 86_400 }
    }

    private func file(of key: [UInt8]) -> URL {
        let hash = FNV1a.hash128(of: key)
        let digits = String(hash, radix: 16)
        return folder.appendingPathComponent(String(repeating: "0", count: 32 - digits.count) + digits)
            .appendingPathExtension(Self.fileExtension)
    }

    private static let fileExtension = "clbin"
    private static let headerSize = 32

    private static func header(key: [UInt8], binary: ArraySlice<UInt8>) -> [UInt8] {
        let checksum = FNV1a.hash64(of: binary, after: FNV1a.hash64(of: key[...]))
        let numbers = [UInt64(key.count), UInt64(binary.count), checksum]
        let bytes = numbers.flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
        return Array("SMDIMCLB".utf8) + bytes
    }
}

/// The FNV-1a hash of Fowler, Noll and Vo: h ← (h xor byte) · prime for every byte.
enum FNV1a {
    static func hash64(of bytes: ArraySlice<UInt8>, after hash: UInt64 = 0xcbf2_9ce4_8422_2325) -> UInt64 {
        bytes.reduce(hash) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    static func hash128(of bytes: [UInt8]) -> UInt128 {
        let offset: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
        let prime: UInt128 = 0x1_0000_0000_0000_0000_013b
        return bytes.reduce(offset) { ($0 ^ UInt128($1)) &* prime }
    }
}
