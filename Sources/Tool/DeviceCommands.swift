import ArgumentParser
import ComputeCore
import Foundation
import OpenCLBackend
import OpenCLRuntime
import _ParityKit

struct Devices: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the OpenCL devices.")

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let devices = try Device.all()
        let chosen = try? Device.select().index
        if json { return print(try Terminal.json(devices.map { Row($0, isDefault: $0.index == chosen) })) }
        let rows = devices.map { device in
            [
                "\(device.index)", device.kind.rawValue, device.name, "\(device.computeUnits)",
                "\(device.globalMemoryBytes >> 20) MiB", "\(device.platformName) \(device.driverVersion)",
                device.index == chosen ? "default" : "",
            ]
        }
        print(Terminal.table(["", "kind", "name", "units", "memory", "driver", ""], rows))
    }

    private struct Row: Encodable {
        let index: Int
        let kind: String
        let name: String
        let computeUnits: Int
        let memoryBytes: Int
        let driver: String
        let isDefault: Bool

        init(_ device: Device, isDefault: Bool) {
            index = device.index
            kind = device.kind.rawValue
            name = device.name
            computeUnits = device.computeUnits
            memoryBytes = device.globalMemoryBytes
            driver = "\(device.platformName) \(device.driverVersion)"
            self.isDefault = isDefault
        }
    }
}

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run every operation's cases on the device against the reference.")

    @Option(help: "Only the operation of this name.")
    var op: String?

    @Option(help: "Names every value of the inputs.")
    var seed: UInt64 = 0

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var device: DeviceOptions

    func run() throws {
        let backend = try device.openCLBackend(hasMargins: true)
        let operations = ParityCase.all.map(\.operation).reduce(into: [String]()) { names, name in
            if !names.contains(name) { names.append(name) }
        }
        if let op, !operations.contains(op) {
            throw ValidationError("--op: expected one of \(operations.joined(separator: ", ")), found \(op)")
        }
        let rows = try operations.filter { op == nil || $0 == op }.map { try Row($0, on: backend, seed: seed) }
        if json {
            print(try Terminal.json(rows))
        } else {
            let identity = backend.identity
            print("\(identity.device), \(identity.driver), kernels: \(identity.kernelPath), seed \(seed)")
            print(
                Terminal.table(
                    ["operation", "cases", "worst", "tolerance", "seconds", ""],
                    rows.map { row in
                        [
                            row.operation, "\(row.cases)", String(format: "%.2f", row.worst),
                            String(format: "%.0f", row.tolerance), String(format: "%.2f", row.seconds),
                            row.failures.isEmpty ? "ok" : "FAILED",
                        ]
                    }))
            print("worst and tolerance in units of 2⁻²⁴ of the magnitude")
            let left = ParityCase.all.count { (op ?? $0.operation) == $0.operation && !backend.supports($0.precision) }
            if left > 0 { print("left out: \(left) bf16 cases; with these kernels the device has no such products") }
        }
        let failures = rows.flatMap(\.failures)
        for failure in failures.prefix(20) { Terminal.error(failure) }
        if !failures.isEmpty { throw ExitCode(1) }
    }

    /// What became of one operation's cases.
    private struct Row: Encodable {
        let operation: String
        var cases = 0
        /// The error of the case that came closest to its tolerance, and that tolerance.
        var worst = 0.0
        var tolerance = 0.0
        var seconds = 0.0
        var failures: [String] = []

        init(_ operation: String, on backend: OpenCLBackend, seed: UInt64) throws {
            self.operation = operation
            let start = ContinuousClock.now
            for parityCase in ParityCase.all
            where parityCase.operation == operation && backend.supports(parityCase.precision) {
                let outcome = try parityCase.check(on: backend, seed: seed)
                cases += 1
                let worst = min(outcome.comparison.worst, Double.greatestFiniteMagnitude)
                if cases == 1 || worst * tolerance > self.worst * parityCase.tolerance {
                    (self.worst, tolerance) = (worst, parityCase.tolerance)
                }
                if !outcome.isPassed {
                    failures.append(
                        "\(parityCase): \(outcome.comparison.worst) units against \(parityCase.tolerance) at "
                            + "\(outcome.comparison), \(outcome.damagedMargins) words outside changed")
                }
            }
            seconds = (ContinuousClock.now - start).seconds
        }
    }
}
