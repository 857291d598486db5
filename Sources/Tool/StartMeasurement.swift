import ArgumentParser
import ComputeCore
import Foundation
import OpenCLBackend

/// How long a process takes until its first logits are there, with the caches as they are and with empty ones.
struct StartMeasurement {
    let model: BenchModel
    let device: DeviceOptions

    /// - Parameter step: Seconds of one step, which are taken off.
    func seconds(step: Double) throws -> BenchReport.Start {
        let caches = FileManager.default.temporaryDirectory.appending(path: "smdim-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: caches, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: caches) }
        var environment = ProcessInfo.processInfo.environment
        let warm = try run(environment)
        environment["POCL_CACHE_DIR"] = caches.path
        environment["SMDIM_CACHE_DIR"] = caches.path
        let cold = try run(environment)
        return BenchReport.Start(cold: max(0, cold - step), warm: max(0, warm - step))
    }

    private func run(_ environment: [String: String]) throws -> Double {
        let process = Process()
        let output = Pipe()
        process.executableURL = Bundle.main.executableURL
        process.environment = environment
        process.standardOutput = output
        process.arguments =
            ["first-step", "--since", "\(DispatchTime.now().uptimeNanoseconds)"] + model.arguments
            + device.arguments
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard let seconds = Double(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw ExitCode(process.terminationStatus == 0 ? 1 : process.terminationStatus)
        }
        return seconds
    }
}

/// Runs one step and prints the seconds since a moment before the process was started; `bench` starts it.
struct FirstStep: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "first-step", abstract: "Print how long it takes to the first logits.", shouldDisplay: false)

    @Option(help: "The moment from which time counts, in nanoseconds of the system's uptime.")
    var since: UInt64

    @OptionGroup var model: BenchModel
    @OptionGroup var device: DeviceOptions

    func run() throws {
        try model.measurement().step(on: device.openCLBackend()).run()
        try Terminal.result("\(Double(DispatchTime.now().uptimeNanoseconds - since) * 1e-9)")
    }
}
