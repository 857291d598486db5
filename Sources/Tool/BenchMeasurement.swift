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

    /// The launches of that one of `repetitions` runs whose kernels took the least time in all, with profiling on.
    func fastestProfile(
        of step: BenchedStep, on backend: OpenCLBackend, repetitions: Int
    ) throws -> [ProfiledLaunch] {
        try step.run()
        _ = try backend.context.takeProfile()
        let profiles = try (0..<repetitions).map { _ in
            try step.run()
            return try backend.context.takeProfile()
        }
        func seconds(_ profile: [ProfiledLaunch]) -> Double { profile.reduce(0) { $0 + $1.seconds } }
        return profiles.min { seconds($0) < seconds($1) } ?? []
    }

    /// The families of kernels in a profile, the slowest family first.
    func families(_ profile: [ProfiledLaunch], of step: BenchedStep) -> [BenchReport.Family] {
        var work: [String: Work] = [:]
        for operation in step.plans.flatMap(\.operations) {
            work[operation.name, default: Work(flops: 0, bytes: 0)].flops += operation.work.flops
            work[operation.name, default: Work(flops: 0, bytes: 0)].bytes += operation.work.bytes
        }
        let sums = profile.reduce(into: [String: (calls: Int, seconds: Double)]()) { sums, launch in
            sums[launch.label, default: (0, 0)].calls += 1
            sums[launch.label, default: (0, 0)].seconds += launch.seconds
        }
        return work.map { name, work in
            let (calls, seconds) = sums[name] ?? (0, 0)
            return BenchReport.Family(
                name: name, calls: calls, seconds: seconds, gflops: Double(work.flops) / max(seconds, 1e-9) * 1e-9,
                gbps: Double(work.bytes) / max(seconds, 1e-9) * 1e-9)
        }.sorted { $0.seconds > $1.seconds }
    }
}
