public import ComputeCore

/// The SMDIM token denoiser: noisy tokens [B, L] to logits [B, L, V] of the clean ones. It takes no time.
///
/// Embedding → strided convolution, ReLU → ``MFATrunk`` → transposed convolution, ReLU → linear. B samples, L tokens
/// (a multiple of the stride; see ``ModelConfiguration/paddedLength(_:)``), V token ids, [MASK] being id V.
public struct TokenDenoiser: Sendable {
    /// The sizes.
    public let configuration: ModelConfiguration
    private let trunk: MFATrunk
    private let head: ParameterScope
    private let precision: Precision

    /// A denoiser.
    public init(
        _ configuration: ModelConfiguration, precision: Precision = .float32, slot: ParameterKey.Slot = .value,
        purpose: RecordingPurpose = .inference
    ) {
        self.configuration = configuration
        self.precision = precision
        trunk = MFATrunk(configuration.trunk, precision: precision, slot: slot, purpose: purpose)
        head = ParameterScope(slot: slot, precision: precision, purpose: purpose)
    }

    /// Where the values between the layers are, for tests and for looking inside.
    public struct Stages: Sendable {
        /// After the strided convolution, [B, S, D].
        public let latent: Tensor
        /// The residual stream inside each block.
        public let blocks: [MFATrunk.BlockTensors]
        /// After the trunk, [B, S, D].
        public let trunk: Tensor
    }

    /// Records the denoiser behind `tokens`, int32 [B, L].
    ///
    /// - Throws: ``ValidationError`` if L is not a multiple of the stride.
    public func record(
        _ tokens: Tensor, into plan: inout Plan
    ) throws(ValidationError) -> (logits: Tensor, stages: Stages) {
        let (width, embedding) = (configuration.trunk.modelWidth, configuration.embeddingWidth)
        let (batch, length) = (tokens.shape[0], tokens.shape[1])
        let kernel: Shape = [width, embedding, configuration.stride]

        let embedded = plan.intermediate([batch, length, embedding])
        try plan.append(
            Embedding(
                tokens: tokens,
                table: head("embed.weight", [configuration.vocabularySize + 1, embedding], in: &plan),
                output: embedded))

        let latent = plan.intermediate([batch, length / configuration.stride, width])
        try plan.append(
            StridedConvolution(
                input: embedded, weight: head("down.weight", kernel, .stridedConvolution, in: &plan),
                bias: head("down.bias", [width], in: &plan), activation: .relu, output: latent))

        let (trunkOutput, blocks) = try trunk.record(latent, into: &plan)

        let features = plan.intermediate([batch, length, embedding])
        try plan.append(
            TransposedConvolution(
                input: trunkOutput, weight: head("up.weight", kernel, .transposedConvolution, in: &plan),
                bias: head("up.bias", [embedding], in: &plan), activation: .relu, output: features))

        let logits = plan.intermediate([batch, length, configuration.vocabularySize])
        try plan.append(
            Linear(
                input: features.matrix,
                weight: head.matrix("head.weight", [configuration.vocabularySize, embedding], in: &plan),
                precision: precision, output: logits.matrix))
        return (logits, Stages(latent: latent, blocks: blocks, trunk: trunkOutput))
    }

    /// A plan from the input `tokens` [B, L] to the kept tensor `logits` [B, L, V].
    ///
    /// - Throws: ``ValidationError`` if L is not a multiple of the stride.
    public func plan(batch: Int, length: Int) throws(ValidationError) -> Plan {
        var plan = Plan()
        let tokens = plan.input("tokens", [batch, length], .int32)
        plan.keep(try record(tokens, into: &plan).logits, as: "logits")
        return plan
    }
}

extension TokenDenoiser {
    /// Runs the denoiser once on tokens of any length: what is missing to a multiple of the stride is filled with [MASK]
    /// on the right, which attention sees, and cut from the result.
    ///
    /// - Parameter tokens: int32 [B, L], ids up to V.
    /// - Returns: Logits [B, L, V].
    /// - Throws: ``ValidationError`` for another shape or an id out of range, or what the backend throws.
    public func logits(
        of tokens: HostTensor, weights: [ParameterSource], on backend: any Backend
    ) throws -> HostTensor {
        let ids = try tokens.integers()
        guard tokens.shape.rank == 2, tokens.shape.elementCount > 0 else {
            throw ValidationError(operation: "logits", argument: "tokens", expected: "[B, L]", found: "\(tokens.shape)")
        }
        if let index = ids.firstIndex(where: { $0 < 0 || $0 > configuration.maskToken }) {
            throw ValidationError(
                operation: "logits", argument: "tokens[\(index)]", expected: "an id in 0...\(configuration.maskToken)",
                found: "\(ids[index])")
        }
        let (batch, length) = (tokens.shape[0], tokens.shape[1])
        let padded = configuration.paddedLength(length)
        let padding = [Int32](repeating: configuration.maskToken, count: padded - length)
        let rows = (0..<batch).flatMap { ids[$0 * length..<($0 + 1) * length] + padding }
        let executable = try backend.compile(plan(batch: batch, length: padded), parameters: backend.prepare(weights))
        try executable.write("tokens", HostTensor([batch, padded], rows))
        try executable.run()
        let all = try executable.read("logits").floats()
        let size = configuration.vocabularySize
        return try HostTensor(
            [batch, length, size],
            (0..<batch).flatMap { all[$0 * padded * size..<($0 * padded + length) * size] })
    }
}
