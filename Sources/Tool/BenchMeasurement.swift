import ComputeCore
import Foundation
import OpenCLBackend
import OpenCLRuntime
import SMDIM

/// Measures one denoising step: tokens enqueued to logits finished, profiling off, sampling excluded.
struct BenchMeasurement {
    let configuration: ModelConfiguration
    let weights: [ParameterSource]
    let length: Int
    let batch: Int
    let precision: Precision

    /// The plan of a step.
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

    /// A compiled step with its input.
    func executable(on backend: OpenCLBackend) throws -> any Executable {
        let executable = try backend.compile(plan(), parameters: backend.prepare(weights))
        try executable.write("tokens", tokens())
        return executable
    }

    /// Seconds of each of `repetitions` steps after two that are not counted.
    func stepSeconds(of executable: any Executable, repetitions: Int) throws -> [Double] {
        let tokens = try tokens()
        var seconds: [Double] = []
        for repetition in 0..<repetitions + 2 {
            let start = ContinuousClock.now
            try executable.write("tokens", tokens)
            try executable.run()
            try executable.wait()
            if repetition >= 2 { seconds.append((ContinuousClock.now - start).seconds) }
        }
        return seconds
    }

    /// Every launch of `repetitions` steps, with profiling on.
    func profile(on backend: OpenCLBackend, repetitions: Int) throws -> [[ProfiledLaunch]] {
        let executable = try executable(on: backend)
        try executable.run()
        _ = try backend.context.takeProfile()
        return try (0..<repetitions).map { _ in
            try executable.run()
            return try backend.context.takeProfile()
        }
    }

    /// The families of kernels in the fastest profile, the slowest family first.
    func families(_ profiles: [[ProfiledLaunch]]) throws -> [BenchReport.Family] {
        var work: [String: Work] = [:]
        for operation in try plan().operations {
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
