public import ComputeCore

/// The piano-roll denoiser: noisy binary cells [B, S, C], the cells that are given, and the time, to logits [B, S, C] of the clean
/// cells.
///
/// F time steps make one latent position: latent = W_x·x + W_k·known + b + time[k] → ``MFATrunk`` → linear. The network sees
/// which cells are given, so that it can lean on them at every noise level. B samples, S time steps (a multiple of F; see
/// ``RollConfiguration/paddedSteps(_:)``), C cells of a step.
public struct RollDenoiser: Sendable {
    /// The sizes.
    public let configuration: RollConfiguration
    private let trunk: MFATrunk
    private let head: ParameterScope
    private let precision: Precision

    /// A denoiser.
    public init(
        _ configuration: RollConfiguration, precision: Precision = .float32, slot: ParameterKey.Slot = .value,
        purpose: RecordingPurpose = .inference
    ) {
        self.configuration = configuration
        self.precision = precision
        trunk = MFATrunk(configuration.trunk, precision: precision, slot: slot, purpose: purpose)
        head = ParameterScope(slot: slot, precision: precision, purpose: purpose)
    }

    /// What the denoiser looks at.
    public struct Input: Sendable {
        /// Cells, 0 or 1, [B, S, C].
        public let cells: Tensor
        /// 1 where a cell is given, else 0, [B, S, C].
        public let known: Tensor
        /// The time's index in 0...T for each latent position, int32 [B, S / F]; the same for all of a sample.
        public let times: Tensor

        /// Tensors of a plan.
        public init(cells: Tensor, known: Tensor, times: Tensor) {
            self.cells = cells
            self.known = known
            self.times = times
        }
    }

    /// Records the denoiser behind `input`.
    ///
    /// - Returns: Logits [B, S / F, F·C]; their memory is that of [B, S, C].
    /// - Throws: ``ValidationError`` if the shapes do not fit, or S is not a multiple of F.
    public func record(_ input: Input, into plan: inout Plan) throws(ValidationError) -> Tensor {
        let (width, fold) = (configuration.trunk.modelWidth, configuration.fold)
        let (batch, steps) = (input.cells.shape[0], input.cells.shape[1])
        let inner = fold * configuration.cellCount
        let folded: Shape = [batch, steps / fold, inner]
        let positions: Shape = [batch, steps / fold, width]

        let time = plan.intermediate(positions)
        try plan.append(
            Embedding(
                tokens: input.times, table: head("time.weight", [configuration.timeCount + 1, width], in: &plan),
                output: time))
        let condition = plan.intermediate(positions)
        try plan.append(
            Linear(
                input: input.known.reshaped(to: folded).matrix,
                weight: head.matrix("known.weight", [width, inner], in: &plan), residual: time,
                precision: precision, output: condition.matrix))
        let latent = plan.intermediate(positions)
        try plan.append(
            Linear(
                input: input.cells.reshaped(to: folded).matrix,
                weight: head.matrix("cells.weight", [width, inner], in: &plan),
                bias: head("cells.bias", [width], in: &plan), residual: condition, precision: precision,
                output: latent.matrix))

        let features = try trunk.record(latent, into: &plan).output
        let logits = plan.intermediate(folded)
        try plan.append(
            Linear(
                input: features.matrix,
                weight: head.matrix("head.weight", [inner, width], in: &plan),
                bias: head("head.bias", [inner], in: &plan), precision: precision, output: logits.matrix))
        return logits
    }

    /// A plan from the inputs `cells` and `known` [B, S, C] and `times` [B, S / F] to the kept tensor `logits` [B, S, C].
    ///
    /// - Throws: ``ValidationError`` if S is not a multiple of F.
    public func plan(batch: Int, steps: Int) throws(ValidationError) -> Plan {
        var plan = Plan()
        let cells: Shape = [batch, steps, configuration.cellCount]
        let input = Input(
            cells: plan.input("cells", cells), known: plan.input("known", cells),
            times: plan.input("times", [batch, steps / configuration.fold], .int32))
        plan.keep(try record(input, into: &plan).reshaped(to: cells), as: "logits")
        return plan
    }
}

// MARK: - Training

extension RollDenoiser {
    /// A plan from `clean` cells [B, S, C] to the `loss` [1] of denoising them, without gradients; see ``BinaryCrossEntropy``.
    ///
    /// Its other inputs: `known` [B, S, C], the cells that are given and do not count; the noise, made on the device as
    /// ``BinomialStep`` tells (`thresholds` [B, P, 4, 2] and `step`); `times` [B, S / F]; and the `weights` [B] of the samples.
    ///
    /// - Throws: ``ValidationError`` if S is not a multiple of F.
    public func lossPlan(batch: Int, steps: Int, loss: BinaryCrossEntropy.Loss) throws(ValidationError) -> Plan {
        var plan = Plan()
        let cells: Shape = [batch, steps, configuration.cellCount]
        let clean = plan.input("clean", cells)
        let known = plan.input("known", cells)
        let noisy = plan.intermediate(cells)
        try plan.append(
            BinomialStep(
                current: clean, estimate: clean, known: known,
                thresholds: plan.input("thresholds", [batch, RollConfiguration.planeCount, 4, 2], .int32),
                step: plan.input("step", StepParameters.shape, .int32), purpose: .corrupt, output: noisy))
        let times = plan.input("times", [batch, steps / configuration.fold], .int32)
        let logits = try record(Input(cells: noisy, known: known, times: times), into: &plan)
        let losses = plan.intermediate([batch, logits.shape[1]])
        try plan.append(
            BinaryCrossEntropy(
                logits: logits, targets: clean.reshaped(to: logits.shape), known: known.reshaped(to: logits.shape),
                weights: plan.input("weights", [batch]), loss: loss, losses: losses))
        let sum = plan.intermediate([1])
        try plan.append(SumValues(values: losses, output: sum))
        plan.keep(sum, as: "loss")
        return plan
    }
}
