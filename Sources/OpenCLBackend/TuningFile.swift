import ComputeCore
public import Foundation
public import OpenCLRuntime

extension Tuning {
    /// Why a tuning file cannot be used.
    public enum FileError: Error, Equatable, CustomStringConvertible {
        /// It cannot be read.
        case unreadable(file: String, reason: String)
        /// It is no tuning file.
        case malformed(file: String, reason: String)
        /// It was measured on another device or driver.
        case foreign(file: String, expected: String, found: String)
        /// It cannot be written.
        case unwritable(file: String, reason: String)

        /// One line that names the file, what was expected and what came.
        public var description: String {
            switch self {
            case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
            case .malformed(let file, let reason): "\(file): expected a tuning file of `smdim tune`, found \(reason)"
            case .foreign(let file, let expected, let found):
                "\(file): expected choices for \(expected), found those for \(found); run `smdim tune`"
            case .unwritable(let file, let reason): "\(file): cannot be written: \(reason)"
            }
        }
    }

    /// The file as it is written: choices by the shapes' descriptions.
    private struct Content: Codable {
        var device: String
        var driver: String
        var path: String?
        var products: [String: Int]
        var attention: [String: Int]
        var clblast: [String: [String: Int]]
    }

    /// Where a device's choices are kept if nothing else is said: in ``BinaryCache/userFolder``.
    public static func defaultFile(for device: Device) -> URL {
        let name = (device.name + " " + device.driverVersion).map { $0.isLetter || $0.isNumber ? $0 : "-" }
        return BinaryCache.userFolder.appending(path: "tuning-\(String(name)).json")
    }

    /// The value of `SMDIM_TUNING` that asks for no choices.
    private static let off = "off"

    /// What `SMDIM_TUNING` says, if anything.
    private static var variable: String? {
        ProcessInfo.processInfo.environment["SMDIM_TUNING"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The file that the user asks for by `SMDIM_TUNING`; nil if the variable names none.
    public static var fileOfEnvironment: URL? { variable.flatMap { $0 == off ? nil : URL(filePath: $0) } }

    /// The choices for a device: of `file`, else of the file that `SMDIM_TUNING` names (`off`: none), else of the default
    /// file if there is one.
    ///
    /// - Throws: ``FileError`` if a file that was asked for cannot be used. A default file that cannot is left aside.
    public static func load(_ file: URL? = nil, for device: Device) throws(FileError) -> Tuning {
        if let asked = file ?? fileOfEnvironment { return try read(asked, for: device) }
        return variable == off ? .none : (try? read(defaultFile(for: device), for: device)) ?? .none
    }

    private static func read(_ file: URL, for device: Device) throws(FileError) -> Tuning {
        let bytes: Data
        do { bytes = try Data(readingWholeOf: file) } catch {
            throw .unreadable(file: file.path, reason: error.localizedDescription)
        }
        return try Tuning(json: bytes, named: file.path, device: device.name, driver: device.driver)
    }

    /// Reads what a tuning file holds.
    ///
    /// - Parameters:
    ///   - name: What errors and ``origin`` call the file.
    ///   - device: The name of the device that the choices have to be for.
    ///   - driver: The name of its platform and the version of its driver.
    /// - Throws: ``FileError/malformed(file:reason:)`` or ``FileError/foreign(file:expected:found:)``.
    public init(json bytes: Data, named name: String, device: String, driver: String) throws(FileError) {
        let content: Content
        do { content = try StrictJSON.decode(Content.self, from: bytes) } catch {
            throw .malformed(file: name, reason: "\(error)")
        }
        guard content.device == device, content.driver == driver else {
            throw .foreign(
                file: name, expected: "\(device), \(driver)", found: "\(content.device), \(content.driver)")
        }
        origin = name
        if let flaw = BLASCandidates.flaw(of: content.clblast) { throw .malformed(file: name, reason: flaw) }
        clblast = content.clblast
        if let text = content.path {
            guard let known = KernelPath(rawValue: text) else { throw .malformed(file: name, reason: "path \(text)") }
            path = known
        }
        for (text, rows) in content.products {
            guard let shape = ProductShape(text), Self.allowedProductRows.contains(rows) else {
                throw .malformed(file: name, reason: "product \(text): \(rows)")
            }
            products[shape] = rows
        }
        for (text, rows) in content.attention {
            guard let shape = AttentionShape(text), Self.allowedAttentionRows.contains(rows) else {
                throw .malformed(file: name, reason: "attention \(text): \(rows)")
            }
            attention[shape] = rows
        }
    }

    /// Writes the choices for a device; the file appears whole or not at all.
    ///
    /// - Throws: ``FileError/unwritable(file:reason:)``.
    public func write(to file: URL, for device: Device) throws(FileError) {
        let content = Content(
            device: device.name, driver: device.driver, path: path?.rawValue,
            products: Dictionary(uniqueKeysWithValues: products.map { ($0.key.description, $0.value) }),
            attention: Dictionary(uniqueKeysWithValues: attention.map { ($0.key.description, $0.value) }),
            clblast: clblast)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        do {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try encoder.encode(content).writeWhole(to: file)
        } catch {
            throw .unwritable(file: file.path, reason: error.localizedDescription)
        }
    }
}
