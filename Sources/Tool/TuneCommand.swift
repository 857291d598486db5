import ArgumentParser
import Foundation
import Music
import OpenCLBackend
import OpenCLRuntime

struct Tune: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure which kernels and tiles are the fastest on a device, and keep the winners for later runs.",
        discussion: """
            What is kept belongs to the promise that one seed gives the same bits: another choice may order a sum \
            otherwise. Every report names the file that was used.
            """)

    @OptionGroup var model: BenchModel
    @OptionGroup var device: DeviceOptions

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard device.kernels == nil else {
            throw ValidationError("--kernels: expected none, tune measures which are the fastest")
        }
    }

    func run() throws {
        let context = try device.context()
        let asked = device.tuning.map { URL(filePath: $0) } ?? Tuning.fileOfEnvironment
        let file = asked ?? Tuning.defaultFile(for: context.device)
        if asked != nil { try requireWritable(file.path) }
        let known = try known(in: file, for: context.device)
        let measurement = try model.measurement()
        var rows: [Row] = []
        let tuner = try Tuner(measurement.plan(), parameters: measurement.weights, on: context) { measured in
            let milliseconds = measured.seconds.map { $0 * 1e3 }
            rows.append(Row(subject: measured.subject, choice: measured.choice, milliseconds: milliseconds))
            let time = milliseconds.map { String(format: "%.3f ms", $0) } ?? "refused or computed wrongly by the device"
            Terminal.note("\(measured.subject): \(measured.choice), \(time)")
        }
        try tuner.tune(known).write(to: file, for: context.device)
        try Terminal.result(
            json ? try Terminal.json(rows) : "\(file.path): \(rows.count) choices measured on \(context.device.name)")
    }

    /// What the file holds for the device; nothing where there is none, or a default file that cannot be used and is replaced.
    private func known(in file: URL, for device: Device) throws -> Tuning {
        guard FileManager.default.fileExists(atPath: file.path) else { return .none }
        do { return try Tuning.load(file, for: device) } catch {
            guard file == Tuning.defaultFile(for: device) else {
                throw FileError.unwritable(
                    path: file.path, reason: "it holds something else than choices for \(device.name); remove it first")
            }
            Terminal.note("\(file.path): holds no choices for this device; all are measured anew")
            return .none
        }
    }

    private struct Row: Encodable {
        let subject: String
        let choice: String
        let milliseconds: Double?
    }
}
