/// The forward process of absorbing-state diffusion: each token becomes [MASK] with a probability of its own.
///
/// noisy[b, l] = [MASK] where the draw (l, step, sample, corrupt) is below thresholds[b, l], else clean[b, l].
/// B samples, L positions. Source: Austin et al., arXiv 2107.03006, with α_t = 1 − t, where one probability serves a sample;
/// a probability of 0 gives a token to the network.
public struct Corrupt: Operation {
    public static let name = "corrupt"

    /// The clean tokens [B, L], int32.
    public let clean: Tensor
    /// The integer threshold of each token's probability, low word first; [B, L, 2], int32.
    public let thresholds: Tensor
    /// See ``StepParameters``.
    public let step: Tensor
    /// The id of [MASK].
    public let maskToken: Int32
    /// The noisy tokens [B, L], int32.
    public let noisy: Tensor

    /// Describes a corruption.
    public init(clean: Tensor, thresholds: Tensor, step: Tensor, maskToken: Int32, noisy: Tensor) {
        self.clean = clean
        self.thresholds = thresholds
        self.step = step
        self.maskToken = maskToken
        self.noisy = noisy
    }

    public var operands: [Operand] {
        [
            Operand("clean", clean, .read), Operand("thresholds", thresholds, .read), Operand("step", step, .read),
            Operand("noisy", noisy, .write),
        ]
    }

    public var work: Work { Work(flops: 0, bytes: traffic()) }

    public func validate() throws(ValidationError) {
        try validator.require(clean, "clean", rank: 2, of: .int32)
        try validator.require(thresholds, "thresholds", is: [clean.shape[0], clean.shape[1], 2], of: .int32)
        try validator.require(step, "step", is: StepParameters.shape, of: .int32)
        try validator.require(noisy, "noisy", is: clean.shape, of: .int32)
    }
}
