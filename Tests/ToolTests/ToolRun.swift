import ComputeCore
import Foundation
import SMDIM
import Testing
import _TestSupport

/// What became of one run of the built tool.
struct ToolRun {
    let status: Int32
    let output: String
    let error: String

    /// Runs `smdim` with arguments, beside the environment of the tests.
    ///
    /// - Parameter device: What stdout goes to in the place of the output.
    init(_ arguments: [String], environment: [String: String] = [:], to device: FileHandle? = nil) throws {
        let process = try Self.process(arguments, environment: environment)
        let (output, error) = (Pipe(), Pipe())
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = device ?? output
        process.standardError = error
        try process.run()
        // A run that hangs fails its test, not all that follow.
        let identifier = process.processIdentifier
        let watchdog = DispatchWorkItem { kill(identifier, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + 300, execute: watchdog)
        defer { watchdog.cancel() }
        try output.fileHandleForWriting.close()
        // A message on stderr is far shorter than the pipe, so it may wait until stdout has ended.
        self.output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        self.error = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        status = process.terminationStatus
    }

    /// `smdim` with arguments, beside the environment of the tests, not yet started.
    static func process(_ arguments: [String], environment: [String: String] = [:]) throws -> Process {
        let process = Process()
        process.executableURL = try executable()
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        return process
    }

    /// The tool lies beside the test bundle, whose path is among the arguments of the tests' process.
    private static func executable() throws -> URL {
        let bundle = try #require(CommandLine.arguments.first { $0.contains(".xctest") })
        let components = URL(filePath: bundle).absoluteURL.pathComponents
        let folder = components.prefix { !$0.hasSuffix(".xctest") }
        return URL(filePath: folder.joined(separator: "/")).appending(path: "smdim")
    }

    /// Expects exit code `code`, nothing on stdout, and one line on stderr that holds `part`.
    func expectFailure(
        _ code: Int32, saying part: String = "", _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(status == code, "\(error)", sourceLocation: location)
        #expect(output.isEmpty, sourceLocation: location)
        #expect(error.hasPrefix("smdim: ") && error.contains(part), "\(error)", sourceLocation: location)
        #expect(error.hasSuffix("\n") && error.count { $0 == "\n" } == 1, "\(error)", sourceLocation: location)
    }
}

/// The golden model's folder.
let golden = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Golden/g1").path

/// A melody.
let melody = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
    .appending(path: "Examples/ode-to-joy.mid").path

/// The folder of a model of tokens and one that passes for trained, so that nothing is said of it.
enum TinyFolder {
    static let shared = Result {
        let folder = try TemporaryFolder().url
        let configuration = ModelConfiguration(.tiny, vocabularySize: 190)
        try ModelFolder.write(
            configuration, weights: configuration.initialWeights(seed: 1), isTrained: true, tokenizer: nil, readme: "",
            to: folder)
        return folder.path
    }
}
