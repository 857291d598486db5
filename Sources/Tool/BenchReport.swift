import ComputeCore
import Foundation
import Music

/// What `bench` measured; `--json` prints it, `--baseline` reads it.
struct BenchReport: Codable {
    /// Seconds over the repetitions.
    struct Spread: Codable {
        let median: Double
        let min: Double
        let max: Double

        init(_ values: [Double]) {
            median = values.median
            min = values.min() ?? 0
            max = values.max() ?? 0
        }
    }

    /// Seconds from the start of a process to its first logits, less one step.
    struct Start: Codable {
        let cold: Double
        let warm: Double
    }

    /// One family of kernels in one step.
    struct Family: Codable {
        let name: String
        let calls: Int
        let seconds: Double
        let gflops: Double
        let gbps: Double
    }

    /// A piece's reverse steps. What is not the network's kernels is drawing, and gaps between launches.
    struct Sampling: Codable {
        let hasGrammar: Bool
        let networkCalls: Int
        let secondsPerStep: Double
        let networkSeconds: Double

        enum CodingKeys: String, CodingKey {
            case hasGrammar = "grammar"
            case networkCalls = "network_calls"
            case secondsPerStep = "seconds_per_step"
            case networkSeconds = "network_seconds"
        }
    }

    let version: String
    let device: String
    let driver: String
    let precision: String
    let kernelPath: String
    let preset: String
    /// First layer of a block.
    let mixer: String
    /// denoising or training.
    let step: String
    let length: Int
    let batch: Int
    let stepSeconds: Spread
    let peakBytes: Int
    let flops: Int
    let startSeconds: Start?
    let kernels: [Family]
    let sampling: [Sampling]?

    enum CodingKeys: String, CodingKey {
        case version, device, driver, precision, preset, mixer, step, length, batch, flops, kernels, sampling
        case kernelPath = "kernel_path"
        case stepSeconds = "step_seconds"
        case peakBytes = "peak_bytes"
        case startSeconds = "start_seconds"
    }

    /// The report as a person reads it.
    var text: String {
        let milliseconds = { (seconds: Double) in String(format: "%.2f ms", seconds * 1e3) }
        var lines = [
            "\(step) step of \(preset) (\(mixer)), \(length) tokens, batch \(batch), \(precision)",
            "\(device), \(driver), kernels: \(kernelPath)",
            "step   median \(milliseconds(stepSeconds.median)), \(milliseconds(stepSeconds.min)) to \(milliseconds(stepSeconds.max)), "
                + String(format: "%.1f GFLOP/s", Double(flops) / stepSeconds.median * 1e-9),
            "memory \(peakBytes >> 20) MiB at most",
        ]
        if let startSeconds {
            lines.append(
                String(format: "start  %.2f s warm, %.2f s cold", startSeconds.warm, startSeconds.cold))
        }
        for sampling in sampling ?? [] {
            lines.append(
                String(
                    format: "%@ %.2f ms a step, at most %.2f ms or %.1f %% of it beside the network (%d steps)",
                    sampling.hasGrammar ? "piece  under the grammar" : "piece  without a grammar",
                    sampling.secondsPerStep * 1e3, (sampling.secondsPerStep - sampling.networkSeconds) * 1e3,
                    100 * (1 - sampling.networkSeconds / sampling.secondsPerStep), sampling.networkCalls))
        }
        let total = kernels.reduce(0) { $0 + $1.seconds }
        let rows = kernels.map { family in
            [
                family.name, "\(family.calls)", String(format: "%.2f", family.seconds * 1e3),
                String(format: "%.1f", 100 * family.seconds / total), String(format: "%.1f", family.gflops),
                String(format: "%.1f", family.gbps),
            ]
        }
        return lines.joined(separator: "\n") + "\n\n"
            + Terminal.table(["kernel", "calls", "ms", "%", "GFLOP/s", "GB/s"], rows)
    }

    /// The families that are slower than in `baseline` by more than `margin`, such as 0.1.
    func regressions(from baseline: BenchReport, margin: Double) -> [String] {
        let before = Dictionary(baseline.kernels.map { ($0.name, $0.seconds) }) { first, _ in first }
        return kernels.compactMap { family in
            guard let old = before[family.name], family.seconds > old * (1 + margin) else { return nil }
            return String(
                format: "%@: %.3f ms against %.3f ms in the baseline, more than %.0f %% slower", family.name,
                family.seconds * 1e3, old * 1e3, margin * 100)
        }
    }
}

extension BenchReport {
    /// Reads an earlier report.
    ///
    /// - Throws: `FileError` where the path cannot be read, ``NoReport`` for a file of something else.
    init(path: String) throws {
        let bytes = try Data(WholeFile.read(path))
        do { self = try StrictJSON.decode(BenchReport.self, from: bytes) } catch {
            throw NoReport(path: path, failure: error)
        }
    }

    /// A file that holds no report.
    struct NoReport: Error, CustomStringConvertible {
        let path: String
        let failure: StrictJSON.Failure

        var description: String { "\(path): expected what smdim bench --json printed, found \(failure)" }
    }
}
