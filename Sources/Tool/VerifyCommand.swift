import ArgumentParser
import ComputeCore
import Foundation
import OpenCLBackend
import _ParityKit

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run every operation's cases on the device against the reference.")

    @Option(help: "Only the operation of this name.")
    var op: String?

    @Option(help: "Instead of the listed cases, this many whose sizes and values are drawn: case i by --seed + i.")
    var random: Int?

    @Option(help: "Names every value of the inputs.")
    var seed: UInt64 = 0

    // The next two are for simulated devices, which check every access and are some thousand times slower.

    @Option(help: .hidden)
    var largest: Int?

    @Flag(name: .customLong("separate"), help: .hidden)
    var isSeparate = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var device: DeviceOptions

    func validate() throws {
        if let random, random < 1 { throw ValidationError("--random: expected at least 1, found \(random)") }
    }

    func run() throws {
        let operations = ParityCase.all.map(\.operation).reduce(into: [String]()) { names, name in
            if !names.contains(name) { names.append(name) }
        }
        if let op, !operations.contains(op) {
            throw ValidationError("--op: expected one of \(operations.joined(separator: ", ")), found \(op)")
        }
        let chosen = operations.filter { op == nil || $0 == op }
        let backend = try device.openCLBackend(isolation: isSeparate ? .buffers : .margins, savesPrograms: false)
        var rows = chosen.map { Row(operation: $0) }
        if let random {
            let bar = ProgressBar("verify")
            for index in 0..<random {
                let (row, seed) = (index % rows.count, seed &+ UInt64(index))
                guard let parityCase = ParityCase.random(chosen[row], seed: seed) else { continue }
                let again = "smdim verify --op \(chosen[row]) --random 1 --seed \(seed)"
                try rows[row].check(parityCase, seed: seed, again: again, on: self, backend)
                bar.show(index + 1, of: random)
            }
        } else {
            for row in rows.indices {
                let again = "smdim verify --op \(chosen[row]) --seed \(seed)"
                for parityCase in ParityCase.all where parityCase.operation == chosen[row] {
                    try rows[row].check(parityCase, seed: seed, again: again, on: self, backend)
                }
            }
        }
        try json ? Terminal.result(Terminal.json(rows)) : show(rows, backend.identity)
        let failures = rows.flatMap(\.failures)
        for failure in failures.prefix(20) { Terminal.error(failure) }
        if failures.count > 20 { Terminal.error("\(failures.count - 20) more failures are not shown") }
        if !failures.isEmpty { throw ExitCode(1) }
    }

    private func show(_ rows: [Row], _ identity: BackendIdentity) throws {
        try Terminal.result("\(identity.device), \(identity.driver), kernels: \(identity.kernelPath), seed \(seed)")
        try Terminal.result(
            Terminal.table(
                ["operation", "cases", "worst", "tolerance", "seconds", ""],
                rows.map { row in
                    [
                        row.operation, "\(row.cases)", String(format: row.worst < 1e6 ? "%.2f" : "%.0e", row.worst),
                        String(format: "%.0f", row.tolerance), String(format: "%.2f", row.seconds),
                        row.failures.isEmpty ? row.cases == 0 ? "" : "ok" : "FAILED",
                    ]
                }))
        try Terminal.result("worst and tolerance in units of 2⁻²⁴ of the magnitude")
        let (left, open) = (rows.reduce(0) { $0 + $1.leftOut }, rows.reduce(0) { $0 + $1.nearTies })
        if left > 0 {
            try Terminal.result("left out: \(left) bf16 cases; with these kernels the device has no such products")
        }
        if open > 0 { try Terminal.result("not compared: \(open) positions whose draw came within 10⁻⁵ of a boundary") }
    }

    /// What became of one operation's cases.
    private struct Row: Encodable {
        let operation: String
        var cases = 0
        /// The error of the case that came closest to its tolerance, and that tolerance.
        var worst = 0.0
        var tolerance = 0.0
        var seconds = 0.0
        /// Cases of a precision that the device has not.
        var leftOut = 0
        /// Positions that were not compared.
        var nearTies = 0
        var failures: [String] = []

        /// `again` is the command that repeats the case, without the device's options.
        mutating func check(
            _ parityCase: ParityCase, seed: UInt64, again: String, on verify: Verify, _ backend: OpenCLBackend
        ) throws {
            guard backend.supports(parityCase.precision) else { return leftOut += 1 }
            if let largest = verify.largest, try parityCase.make(seed).elementCount > largest { return }
            let start = ContinuousClock.now
            let outcome = try parityCase.check(on: backend, seed: seed)
            seconds += (ContinuousClock.now - start).seconds
            cases += 1
            nearTies += outcome.openCount
            let worst = min(outcome.comparison.worst, Double.greatestFiniteMagnitude)
            // A tolerance may be zero.
            func share(_ worst: Double, of tolerance: Double) -> Double { worst == 0 ? 0 : worst / tolerance }
            if cases == 1 || share(worst, of: parityCase.tolerance) > share(self.worst, of: tolerance) {
                (self.worst, tolerance) = (worst, parityCase.tolerance)
            }
            if !outcome.isPassed {
                let command = ([again] + verify.device.arguments).joined(separator: " ")
                failures.append("\(parityCase): \(outcome); to repeat: \(command)")
            }
        }
    }
}
