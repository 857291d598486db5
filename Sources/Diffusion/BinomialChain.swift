public import ComputeCore

/// Samples binary cells by running a binomial diffusion backwards: call the network, draw an estimate of the clean cells, step
/// to an earlier time.
///
/// Known cells stay as they are in every step, and the network is told which they are. The cells, the logits and the estimates
/// stay on the device for the whole chain. One task uses a chain at a time.
public final class BinomialChain {
    /// The cells that a chain makes at once.
    public struct Batch: Hashable, Sendable {
        /// B, samples.
        public var count: Int
        /// S, time steps.
        public var steps: Int
        /// C, cells of a time step.
        public var width: Int
        /// Time steps that share a latent position of the network.
        public var fold: Int

        /// A batch.
        public init(count: Int, steps: Int, width: Int, fold: Int) {
            self.count = count
            self.steps = steps
            self.width = width
            self.fold = fold
        }

        var shape: Shape { [count, steps, width] }

        fileprivate func validate() throws(SamplingError) {
            guard fold >= 1, steps % fold == 0 else {
                throw .option(name: "fold", expected: "a divisor of the \(steps) time steps", found: "\(fold)")
            }
        }
    }

    /// How a chain runs.
    public struct Options: Hashable, Sendable {
        /// K, reverse steps.
        public var stepCount = 32
        /// The time at which the chain starts, in (0, 1]; below 1 something of the given cells survives.
        public var start = 1.0
        /// Which law leads back.
        public var sampler = BinomialProcess.Sampler.posterior
        /// T of ``CellDraw``.
        public var temperature: Float = 1
        /// Noise levels that the network knows.
        public var timeCount: Int
        /// Names every random number.
        public var seed: UInt64

        /// The defaults.
        public init(timeCount: Int, seed: UInt64) {
            self.timeCount = timeCount
            self.seed = seed
        }

        /// Checks every option.
        ///
        /// - Throws: ``SamplingError``.
        public func validate() throws(SamplingError) {
            try SamplingError.require(stepCount: stepCount)
            guard start > 0 && start <= 1 else {
                throw .option(name: "start", expected: "a time in (0, 1]", found: "\(start)")
            }
            try SamplingError.require(temperature: temperature)
            guard timeCount >= 1 else {
                throw .option(name: "noise levels", expected: "at least 1", found: "\(timeCount)")
            }
        }
    }

    /// What the network looks at: cells [B, S, C], known [B, S, C], and time indices [B, S / fold].
    public typealias Network = (_ cells: Tensor, _ known: Tensor, _ times: Tensor, inout Plan) throws -> Tensor

    private let batch: Batch
    private let process: BinomialProcess
    private let options: Options
    private let noising: any Executable
    private let reversal: any Executable

    /// Compiles the chain's plans.
    ///
    /// - Throws: ``SamplingError``, or what the backend throws.
    public init(
        _ batch: Batch, process: BinomialProcess, options: Options, on backend: any Backend,
        parameters: any ParameterStore, network: Network
    ) throws {
        try options.validate()
        try batch.validate()
        self.batch = batch
        self.process = process
        self.options = options
        let planes = process.priorDensities.count
        noising = try backend.compile(
            Self.noisingPlan(batch, planes: planes), parameters: backend.prepare([]))
        reversal = try backend.compile(
            Self.reversePlan(batch, planes: planes, options: options, network: network), parameters: parameters)
    }

    /// Cells of one sample, S·C.
    public var cellCount: Int { batch.steps * batch.width }

    /// What came out of a chain.
    public struct Result: Equatable, Sendable {
        /// The cells of each sample, 0 or 1, [S·C].
        public let cells: [[Float]]
        /// For each sample, the draws of cells that are not given so close to a probability that another device may have drawn
        /// otherwise.
        public let nearTies: [Int]
    }

    /// Runs a chain.
    ///
    /// - Parameters:
    ///   - given: For each sample its cells, 0 or 1: those to keep, and those to start from if the start is before 1.
    ///   - known: 1 where a cell is to stay.
    ///   - firstSample: The number of the first sample, part of every draw's counter.
    ///   - run: The number of the chain among those that make one piece, part of every draw's counter.
    ///   - progress: Called after steps with the number done and in all; each call waits for the device.
    /// - Throws: ``SamplingError``, `CancellationError` if the task was cancelled, or what the backend throws.
    public func run(
        from given: [[Float]], known: [[Float]], firstSample: Int = 0, run: Int = 0,
        progress: ((_ done: Int, _ total: Int) -> Void)? = nil
    ) throws -> Result {
        let firstSample = try Int32(firstSample: firstSample, of: batch.count)
        let fixed = known.flatMap(\.self)
        let known = try HostTensor(batch.shape, fixed)
        // The steps of a run and one more for its noise.
        let firstStep = run * (options.stepCount + 1)
        let start = try noise(
            HostTensor(batch.shape, given.flatMap(\.self)), known,
            step: step(firstStep + options.stepCount, firstSample))
        try reversal.write("cells", start.cells)
        try reversal.write("known", known)
        if options.sampler == .sharedNoise { try reversal.write("noise", start.noise) }
        try reversal.write(
            "nearTies", HostTensor(batch.shape, [Int32](repeating: 0, count: batch.shape.elementCount)))
        for index in 0..<options.stepCount {
            try Task.checkCancellation()
            let (time, earlier) = (self.time(index), self.time(index + 1))
            let law =
                options.sampler == .posterior
                ? process.posterior(from: time, to: earlier) : process.sharedNoise(at: earlier)
            try reversal.write("thresholds", thresholds(law))
            try reversal.write("step", step(firstStep + index, firstSample))
            let timeIndex = process.timeIndex(time, count: options.timeCount)
            let positions: Shape = [batch.count, batch.steps / batch.fold]
            try reversal.write(
                "times", HostTensor(positions, [Int32](repeating: timeIndex, count: positions.elementCount)))
            try reversal.run()
            if let progress {
                try reversal.wait()
                progress(index + 1, options.stepCount)
            }
        }
        return try result(known: fixed)
    }

    private func time(_ index: Int) -> Double {
        options.start * (1 - Double(index) / Double(options.stepCount))
    }

    private func thresholds(_ law: CellLaw) throws -> HostTensor {
        let words = law.words
        return try HostTensor(
            [batch.count, law.probabilities.count, 4, 2], (0..<batch.count).flatMap { _ in words })
    }

    private func step(_ index: Int, _ firstSample: Int32) throws -> HostTensor {
        try HostTensor(
            StepParameters.shape,
            StepParameters(step: Int32(truncatingIfNeeded: index), firstSample: firstSample, seed: options.seed)
                .words)
    }

    /// The chain's noise, and the given cells at the time of the start.
    private func noise(
        _ given: HostTensor, _ known: HostTensor, step: HostTensor
    ) throws -> (cells: HostTensor, noise: HostTensor) {
        try noising.write("given", given)
        try noising.write("known", known)
        try noising.write("prior", thresholds(process.marginal(at: 1)))
        try noising.write("start", thresholds(process.sharedNoise(at: options.start)))
        try noising.write("step", step)
        try noising.run()
        return (try noising.read("cells"), try noising.read("noise"))
    }

    private func result(known: [Float]) throws -> Result {
        let flat = try reversal.read("cells").floats()
        let size = cellCount
        if let index = flat.firstIndex(where: { $0.isNaN }) {
            throw SamplingError.undefinedDistribution(sample: index / size, position: index % size)
        }
        let marks = try reversal.read("nearTies").integers()
        let rows = (0..<batch.count).map { $0 * size..<($0 + 1) * size }
        return Result(
            cells: rows.map { Array(flat[$0]) },
            nearTies: rows.map { row in row.count { marks[$0] != 0 && known[$0] <= 0.5 } })
    }
}

// MARK: - Plans

extension BinomialChain {
    /// given → noise of the prior → the given cells mixed with it.
    private static func noisingPlan(_ batch: Batch, planes: Int) throws -> Plan {
        var plan = Plan()
        let law: Shape = [batch.count, planes, 4, 2]
        let given = plan.input("given", batch.shape)
        let known = plan.input("known", batch.shape)
        let step = plan.input("step", StepParameters.shape, .int32)
        let noise = plan.intermediate(batch.shape)
        try plan.append(
            BinomialStep(
                current: given, estimate: given, known: known, thresholds: plan.input("prior", law, .int32), step: step,
                purpose: .corrupt, output: noise))
        let cells = plan.intermediate(batch.shape)
        try plan.append(
            BinomialStep(
                current: noise, estimate: given, known: known, thresholds: plan.input("start", law, .int32), step: step,
                purpose: .reveal, output: cells))
        plan.keep(noise, as: "noise")
        plan.keep(cells, as: "cells")
        return plan
    }

    /// One reverse step: network → estimate → earlier cells.
    private static func reversePlan(
        _ batch: Batch, planes: Int, options: Options, network: Network
    ) throws -> Plan {
        var plan = Plan()
        let cells = plan.input("cells", batch.shape)
        let known = plan.input("known", batch.shape)
        let step = plan.input("step", StepParameters.shape, .int32)
        let times = plan.input("times", [batch.count, batch.steps / batch.fold], .int32)
        let logits = try network(cells, known, times, &plan)
        let estimate = plan.intermediate(batch.shape)
        try plan.append(
            CellDraw(
                logits: logits, step: step, temperature: options.temperature, estimate: estimate,
                nearTies: plan.input("nearTies", batch.shape, .int32)))
        try plan.append(
            BinomialStep(
                current: options.sampler == .posterior ? cells : plan.input("noise", batch.shape), estimate: estimate,
                known: known, thresholds: plan.input("thresholds", [batch.count, planes, 4, 2], .int32), step: step,
                purpose: .reveal, output: cells))
        return plan
    }
}
