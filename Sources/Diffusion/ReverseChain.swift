public import ComputeCore

/// Samples token sequences by running absorbing-state diffusion backwards: call the network, draw a candidate for every
/// masked position, reveal some of them, until nothing is masked.
///
/// Under a constraint the candidates of a sample are drawn together, as a well-formed sequence: whatever has been revealed
/// can be completed after every step, and the result is well formed.
///
/// The tokens, the logits and the candidates stay on the device for the whole chain. One task uses a chain at a time.
public final class ReverseChain {
    /// The sequences that a chain makes at once.
    public struct Batch: Hashable, Sendable {
        /// Number of samples.
        public var count: Int
        /// Tokens of a sample.
        public var length: Int
        /// Tokens of a sample as the network wants them; those behind `length` are [MASK] and stay so.
        public var paddedLength: Int
        /// V; [MASK] has this id.
        public var vocabularySize: Int

        /// A batch.
        public init(count: Int, length: Int, paddedLength: Int, vocabularySize: Int) {
            self.count = count
            self.length = length
            self.paddedLength = paddedLength
            self.vocabularySize = vocabularySize
        }
    }

    /// What came out of a chain.
    public struct Result: Equatable, Sendable {
        /// The tokens of each sample; none is [MASK].
        public let tokens: [[Int32]]
        /// Network calls that were made.
        public let networkCalls: Int
        /// For each sample, the draws so close to a boundary that another device may have drawn another token.
        public let nearTies: [Int]
    }

    private let batch: Batch
    private let options: SamplingOptions
    private let constraint: TokenAutomaton?
    private let executable: any Executable

    /// Compiles the chain's one plan.
    ///
    /// - Parameters:
    ///   - allowed: Which ids may be drawn; as many as the vocabulary has.
    ///   - constraint: The sequences that may be drawn; any if nil.
    ///   - network: Records the denoiser: from tokens [B, L] to logits [B, L, V].
    /// - Throws: ``SamplingError``, or what the backend throws.
    public init(
        _ batch: Batch, options: SamplingOptions, allowed: [Bool], constraint: TokenAutomaton? = nil,
        on backend: any Backend, parameters: any ParameterStore, network: (Tensor, inout Plan) throws -> Tensor
    ) throws {
        guard allowed.contains(true) else { throw SamplingError.nothingAllowed }
        self.batch = batch
        self.options = options
        self.constraint = constraint?.drawing(only: allowed)
        let plan = try ReversePlan(batch, options: options, constraint: self.constraint, network: network).plan
        executable = try backend.compile(plan, parameters: parameters)
        if let constraint = self.constraint {
            for (name, table) in try constraint.tables { try executable.write(name, table) }
        } else {
            try executable.write("allowed", HostTensor([batch.vocabularySize], allowed.map { $0 ? 1 : 0 } as [Int32]))
        }
    }

    /// Bytes that the chain holds on the device, the weights apart.
    public var byteCount: Int { executable.memory.byteCount }

    /// Runs a chain from partly masked sequences.
    ///
    /// - Parameters:
    ///   - initial: For each sample its tokens; [MASK] where one is to be drawn.
    ///   - seed: Instead of the options' seed.
    ///   - firstSample: Instead of the options' first sample.
    ///   - progress: Called after steps with the number done and in all; each call waits for the device.
    /// - Throws: ``SamplingError``, ``InfeasibleSequence`` before the first network call if the constraint leaves nothing
    ///   to draw, `CancellationError` if the task was cancelled, or what the backend throws.
    public func run(
        from initial: [[Int32]], seed: UInt64? = nil, firstSample: Int? = nil,
        progress: ((_ done: Int, _ total: Int) -> Void)? = nil
    ) throws -> Result {
        try check(initial)
        let mask = Int32(batch.vocabularySize)
        let seed = seed ?? options.seed
        let firstSample = try Int32(firstSample: firstSample ?? options.firstSample, of: batch.count)
        let padding = [Int32](repeating: mask, count: batch.paddedLength - batch.length)
        let shape: Shape = [batch.count, batch.paddedLength]
        if let constraint {
            for tokens in Set(initial) { try constraint.check(tokens, mask: mask) }
            let given = initial.flatMap { constraint.givenClasses(of: $0, mask: mask) + padding.map { _ in 0 } }
            try executable.write("given", HostTensor(shape, given))
        }
        try executable.write("tokens", HostTensor(shape, initial.flatMap { $0 + padding }))
        try executable.write("nearTies", HostTensor(shape, [Int32](repeating: 0, count: shape.elementCount)))

        let schedule = RevealSchedule(options, initial: initial, mask: mask, seed: seed, firstSample: firstSample)
        if let steps = schedule.revealSteps {
            try executable.write("revealSteps", HostTensor(shape, steps.flatMap { $0 + padding.map { _ in -1 } }))
        }
        for (index, parameters) in schedule.steps.enumerated() {
            try Task.checkCancellation()
            try executable.write("step", HostTensor(StepParameters.shape, parameters.words))
            try executable.run()
            if let progress {
                try executable.wait()
                progress(index + 1, schedule.steps.count)
            }
        }
        return try result(networkCalls: schedule.steps.count, mask: mask)
    }

    private func result(networkCalls: Int, mask: Int32) throws -> Result {
        let tokens = try rows("tokens")
        for (sample, row) in tokens.enumerated() {
            if let position = row.firstIndex(of: mask) {
                throw SamplingError.undefinedDistribution(sample: sample, position: position)
            }
        }
        let nearTies = try rows("nearTies").map { marks in marks.count { $0 != 0 } }
        return Result(tokens: tokens, networkCalls: networkCalls, nearTies: nearTies)
    }

    /// For each sample its values without those of the padding.
    private func rows(_ name: String) throws -> [[Int32]] {
        let flat = try executable.read(name).integers()
        return (0..<batch.count).map { sample in
            Array(flat[sample * batch.paddedLength..<sample * batch.paddedLength + batch.length])
        }
    }

    private func check(_ initial: [[Int32]]) throws(SamplingError) {
        guard initial.count == batch.count else {
            throw .option(name: "initial sequences", expected: "\(batch.count)", found: "\(initial.count)")
        }
        for (sample, tokens) in initial.enumerated() {
            guard tokens.count == batch.length else {
                throw .sequenceLength(sample: sample, expected: batch.length, found: tokens.count)
            }
            if let position = tokens.firstIndex(where: { $0 < 0 || $0 > batch.vocabularySize }) {
                throw .tokenOutOfRange(
                    sample: sample, position: position, token: tokens[position], vocabularySize: batch.vocabularySize)
            }
        }
        // One count per step serves the whole batch, and a sample must not depend on those beside it.
        let mask = Int32(batch.vocabularySize)
        let masked = Set(initial.map { tokens in tokens.count { $0 == mask } })
        guard options.order != .confidence || masked.count <= 1 else {
            throw .option(
                name: "order", expected: "as many masked tokens in every sample for confidence",
                found: "\(masked.sorted().map(String.init).joined(separator: ", "))")
        }
    }
}

/// Records one reverse step: network → draw → reveal.
private struct ReversePlan {
    var plan = Plan()

    init(
        _ batch: ReverseChain.Batch, options: SamplingOptions, constraint: TokenAutomaton?,
        network: (Tensor, inout Plan) throws -> Tensor
    ) throws {
        let positions: Shape = [batch.count, batch.paddedLength]
        let mask = Int32(batch.vocabularySize)
        let tokens = plan.input("tokens", positions, .int32)
        let step = plan.input("step", StepParameters.shape, .int32)
        let nearTies = plan.input("nearTies", positions, .int32)
        let logits = try network(tokens, &plan)
        let candidates = plan.intermediate(positions, .int32)
        let confidence = plan.intermediate(positions)
        if let constraint {
            try plan.append(
                GrammarDraw(
                    logits: logits, tokens: tokens, automaton: plan.automaton(constraint, positions: positions),
                    step: step, temperature: options.temperature, topP: options.topP, length: batch.length,
                    maskToken: mask, candidates: candidates, confidence: confidence, nearTies: nearTies))
        } else {
            try plan.append(
                TokenDraw(
                    logits: logits, tokens: tokens, allowed: plan.input("allowed", [batch.vocabularySize], .int32),
                    step: step, temperature: options.temperature, topP: options.topP, maskToken: mask,
                    candidates: candidates, confidence: confidence, nearTies: nearTies))
        }
        let rule: Reveal.Rule =
            switch options.order {
            case .scheduled: .scheduled(plan.input("revealSteps", positions, .int32))
            case .ancestral: .independent
            case .confidence: .confidence(confidence)
            }
        try plan.append(
            Reveal(
                tokens: tokens, candidates: candidates, step: step, rule: rule, length: batch.length, maskToken: mask))
    }
}
