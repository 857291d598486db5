import ComputeCore
import Foundation
import OpenCLBackend
import OpenCLRuntime
import SMDIM

/// Measures one step, profiling off for its time and on for its kernels.
struct BenchMeasurement {
    let configuration: ModelConfiguration
    let weights: [ParameterSource]
    let length: Int
    let batch: Int
    let precision: Precision
    /// A training step instead of a denoising one.
    let isTraining: Bool

    /// The plan of a denoising step.
    func plan() throws -> Plan {
        try TokenDenoiser(configuration, precision: precision)
            .plan(batch: batch, length: configuration.paddedLength(length))
    }

    /// The step's input: every second token masked.
    func tokens() throws -> HostTensor {
        let padded = configuration.paddedLength(length)
        let ids = (0..<batch * padded).map { index in
            index % 2 == 0 ? configuration.maskToken : Int32(index * 7919 % configuration.vocabularySize)
        }
        return try HostTensor([batch, padded], ids)
    }

    /// Seconds of each of `repetitions` runs after two that are not counted.
    func seconds(of step: BenchedStep, repetitions: Int) throws -> [Double] {
        for _ in 0..<2 { try step.run() }
        return try (0..<repetitions).map { _ in
            let start = ContinuousClock.now
            try step.run()
            return (ContinuousClock.now - start).seconds
        }
    }

    /// Every launch of `repetitions` runs, with profiling on.
    func profile(of step: BenchedStep, on backend: OpenCLBackend, repetitions: Int) throws -> [[ProfiledLaunch]] {
        try step.run()
        _ = try backend.context.takeProfile()
        return try (0..<repetitions).map { _ in
            try step.run()
            return try backend.context.takeProfile()
        }
    }

    /// The families of kernels in the fastest profile, the slowest family first.
    func families(_ profiles: [[ProfiledLaunch]], of step: BenchedStep) -> [BenchReport.Family] {
        var work: [String: Work] = [:]
        for operation in step.plans.flatMap(\.operations) {
            work[operation.name, default: Work(flops: 0, bytes: 0)].flops += operation.work.flops
            work[operation.name, default: Work(flops: 0, bytes: 0)].bytes += operation.work.bytes
        }
        let sums = profiles.map { profile in
            profile.reduce(into: [String: (calls: Int, seconds: Double)]()) { sums, launch in
                sums[launch.label, default: (0, 0)].calls += 1
                sums[launch.label, default: (0, 0)].seconds += launch.seconds
            }
        }
        return work.keys.map { name in
            let calls = sums.first?[name]?.calls ?? 0
            let seconds = sums.compactMap { $0[name]?.seconds }.min() ?? 0
            let work = work[name] ?? Work(flops: 0, bytes: 0)
            return BenchReport.Family(
                name: name, calls: calls, seconds: seconds, gflops: Double(work.flops) / max(seconds, 1e-9) * 1e-9,
                gbps: Double(work.bytes) / max(seconds, 1e-9) * 1e-9)
        }.sorted { $0.seconds > $1.seconds }
    }
}
