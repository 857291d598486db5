/// Mamba's selective scan with the skip and the gate that surround it. With Δ = softplus(delta) and A = −exp(A_log),
///
/// h[s, i, n] = exp(Δ[s, i] · A[i, n]) · h[s−1, i, n] + Δ[s, i] · B[s, n] · u[s, i],
/// y[s, i] = (Σ_n C[s, n] · h[s, i, n] + D[i] · u[s, i]) · SiLU(z[s, i]), for every sample.
///
/// B samples, S positions, I channels, N states. softplus(v) = ln(1 + eᵛ), taken as v above 20. The state before the
/// sequence is 0 unless given. No tensor of B·I·N·S elements exists anywhere. Source: arXiv 2312.00752, algorithm 2.
/// A NaN or an infinity in a channel reaches the later positions of that channel; B and C carry theirs to all channels. An
/// infinite state whose decay is below float's range stays infinite or becomes NaN.
public struct SelectiveScan: Operation {
    public static let name = "selective_scan"

    /// u [B, S, I].
    public let input: Tensor
    /// The step sizes before softplus, [B, S, I].
    public let delta: Tensor
    /// B, the input matrix, [B·S, N].
    public let inputMatrix: MatrixView
    /// C, the output matrix, [B·S, N].
    public let outputMatrix: MatrixView
    /// z, the gate before SiLU, [B·S, I].
    public let gate: MatrixView
    /// A_log [I, N].
    public let logDecay: Tensor
    /// D [I].
    public let skip: Tensor
    /// y [B, S, I].
    public let output: Tensor
    /// The state before the first position, [B, I, N]; zeros if nil.
    public let initialState: Tensor?
    /// Where the state after the last position goes, [B, I, N], if wanted.
    public let finalState: Tensor?

    /// Describes a scan.
    public init(
        input: Tensor, delta: Tensor, inputMatrix: MatrixView, outputMatrix: MatrixView, gate: MatrixView,
        logDecay: Tensor, skip: Tensor, output: Tensor, initialState: Tensor? = nil, finalState: Tensor? = nil
    ) {
        self.input = input
        self.delta = delta
        self.inputMatrix = inputMatrix
        self.outputMatrix = outputMatrix
        self.gate = gate
        self.logDecay = logDecay
        self.skip = skip
        self.output = output
        self.initialState = initialState
        self.finalState = finalState
    }

    /// N, the states per channel.
    public var stateCount: Int { logDecay.shape[1] }

    public var operands: [Operand] {
        var operands = [
            Operand("input", input, .read), Operand("delta", delta, .read),
            Operand("inputMatrix", inputMatrix, .read), Operand("outputMatrix", outputMatrix, .read),
            Operand("gate", gate, .read), Operand("logDecay", logDecay, .read), Operand("skip", skip, .read),
            Operand("output", output, .write),
        ]
        if let initialState { operands.append(Operand("initialState", initialState, .read)) }
        if let finalState { operands.append(Operand("finalState", finalState, .write)) }
        return operands
    }

    public var work: Work {
        let count = output.shape.elementCount
        let matrices = 2 * output.shape[0] * output.shape[1] * stateCount
        return Work(flops: count * (7 * stateCount + 10), bytes: 4 * (4 * count + matrices))
    }

    public func validate() throws(ValidationError) {
        try validator.require(input, "input", rank: 3)
        try validator.require(logDecay, "logDecay", rank: 2)
        let (batch, length, channels) = (input.shape[0], input.shape[1], input.shape[2])
        let states = logDecay.shape[1]
        try validator.require(delta, "delta", is: input.shape)
        try validator.require(logDecay, "logDecay", is: [channels, states])
        try validator.require(states <= Self.maximumStateCount, "logDecay", "at most 64 states", "\(states)")
        try validator.require(skip, "skip", is: [channels])
        try validator.require(inputMatrix, "inputMatrix", rows: batch * length, columns: states)
        try validator.require(outputMatrix, "outputMatrix", rows: batch * length, columns: states)
        try validator.require(gate, "gate", rows: batch * length, columns: channels)
        try validator.require(output, "output", is: input.shape)
        let state: Shape = [batch, channels, states]
        if let initialState { try validator.require(initialState, "initialState", is: state) }
        if let finalState { try validator.require(finalState, "finalState", is: state) }
    }

    /// The most states per channel that the kernels keep in registers.
    public static let maximumStateCount = 64
}
