import ArgumentParser
import Foundation
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

    func run() throws {
        let context = try device.context()
        let file = device.tuning.map { URL(filePath: $0) } ?? Tuning.defaultFile(for: context.device)
        let isThere = FileManager.default.fileExists(atPath: file.path)
        let known = isThere ? try Tuning.load(file, for: context.device) : .none
        let measurement = try model.measurement()
        var rows: [Row] = []
        let tuner = try Tuner(measurement.plan(), parameters: measurement.weights, on: context) { measured in
            let milliseconds = measured.seconds * 1e3
            rows.append(Row(subject: measured.subject, choice: measured.choice, milliseconds: milliseconds))
            Terminal.note("\(measured.subject): \(measured.choice), \(String(format: "%.3f", milliseconds)) ms")
        }
        try tuner.tune(known).write(to: file, for: context.device)
        print(json ? try Terminal.json(rows) : "\(file.path): \(rows.count) choices measured on \(context.device.name)")
    }

    private struct Row: Encodable {
        let subject: String
        let choice: String
        let milliseconds: Double
    }
}
