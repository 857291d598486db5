public import ComputeCore

/// The trunk of SMDIM: blocks of Mamba, Feed-forward and Attention, each a pre-norm residual, and a final norm.
///
/// It maps [B, S, D] to [B, S, D] and knows neither tokens nor time: a denoiser of another kind of data puts its own
/// way in and out around it, and adds its time embedding to the trunk's input.
public struct MFATrunk: Sendable {
    /// The sizes.
    public let configuration: TrunkConfiguration
    /// Type of the factors of every product; for training of those of linear layers, attention staying float32.
    public let precision: Precision
    /// Which tensors of the weights are used: the weights themselves or their moving average.
    public let slot: ParameterKey.Slot
    /// Whether a backward pass will follow.
    public let purpose: RecordingPurpose

    /// A trunk.
    public init(
        _ configuration: TrunkConfiguration, precision: Precision = .float32, slot: ParameterKey.Slot = .value,
        purpose: RecordingPurpose = .inference
    ) {
        self.configuration = configuration
        self.precision = precision
        self.slot = slot
        self.purpose = purpose
    }

    /// Records the trunk behind `input` [B, S, D].
    ///
    /// - Returns: The normalised output [B, S, D], and what each layer left in the residual stream, in order.
    /// - Throws: ``ValidationError`` if `input` does not fit the configuration.
    public func record(
        _ input: Tensor, into plan: inout Plan
    ) throws(ValidationError) -> (output: Tensor, blocks: [BlockTensors]) {
        var x = input
        var blocks: [BlockTensors] = []
        for index in 0..<configuration.blockCount {
            let block = try recordBlock(index, x, into: &plan)
            blocks.append(block)
            x = block.attention
        }
        return (try normalise(x, root.scope("norm"), into: &plan), blocks)
    }

    private var root: ParameterScope { ParameterScope(slot: slot, precision: precision, purpose: purpose) }

    /// The residual stream after each of a block's three layers, [B, S, D].
    public struct BlockTensors: Sendable {
        /// After the mixer.
        public let mixer: Tensor
        /// After the feed-forward layer.
        public let feedForward: Tensor
        /// After the attention: the block's output.
        public let attention: Tensor
    }

    private func recordBlock(_ index: Int, _ x: Tensor, into plan: inout Plan) throws(ValidationError) -> BlockTensors {
        let parameters = root.scope("blocks.\(index)")
        let mixer = try recordMixer(x, parameters, into: &plan)
        let feedForward = try FeedForward(
            configuration: configuration, parameters: parameters.scope("ffn"), precision: precision, purpose: purpose
        ).record(mixer, normalised: normalise(mixer, parameters.scope("norm2"), into: &plan), into: &plan)
        let attention = try AttentionMixer(
            configuration: configuration, parameters: parameters.scope("attn"), precision: precision, purpose: purpose
        ).record(feedForward, normalised: normalise(feedForward, parameters.scope("norm3"), into: &plan), into: &plan)
        return BlockTensors(mixer: mixer, feedForward: feedForward, attention: attention)
    }

    private func recordMixer(
        _ x: Tensor, _ parameters: ParameterScope, into plan: inout Plan
    ) throws(ValidationError) -> Tensor {
        let normalised = try normalise(x, parameters.scope("norm1"), into: &plan)
        switch configuration.mixer {
        case .mamba:
            return try MambaMixer(
                configuration: configuration, parameters: parameters.scope("mamba"), precision: precision
            ).record(x, normalised: normalised, into: &plan)
        case .attention:
            return try AttentionMixer(
                configuration: configuration, parameters: parameters.scope("mixer"), precision: precision,
                purpose: purpose
            ).record(x, normalised: normalised, into: &plan)
        }
    }

    private func normalise(
        _ x: Tensor, _ parameters: ParameterScope, into plan: inout Plan
    ) throws(ValidationError) -> Tensor {
        let output = plan.intermediate(x.shape)
        try plan.append(
            LayerNorm(
                input: x, weight: parameters("weight", [configuration.modelWidth], in: &plan),
                bias: parameters("bias", [configuration.modelWidth], in: &plan), epsilon: configuration.normEpsilon,
                output: output))
        return output
    }
}
