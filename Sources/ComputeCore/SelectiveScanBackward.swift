/// The gradients of ``SelectiveScan`` without carried states. With h, Δ and A as there, v[s, i] the value before the gate,
/// dv = dy · SiLU(z) and a[s, i, n] = exp(Δ[s, i] · A[i, n]),
///
/// g[s] = dv[s] · C[s] + a[s+1] · g[s+1] (per channel and state),
/// dB[s, n] = Σ_i g · Δ · u, dC[s, n] = Σ_i dv · h, dA_log[i, n] += A · Σ_{b,s} g · Δ · a · h[s−1],
/// du = D · dv + Δ · Σ_n g · B, dD[i] += Σ_{b,s} dv · u, dz = dy · v · SiLU′(z),
/// ddelta = softplus′(delta) · Σ_n g · (A · a · h[s−1] + B · u).
///
/// B samples, S positions, I channels, N states. The states are computed again, a tile of positions at a time: no tensor of
/// B·I·N·S elements exists anywhere.
///
/// A NaN or an infinity reaches every gradient whose sum holds it, as NaN or infinite; which of the two may differ by device.
public struct SelectiveScanBackward: Operation {
    public static let name = "selective_scan_backward"

    /// The scan; its inputs and parameters are read.
    public let forward: SelectiveScan
    /// dy [B, S, I].
    public let outputGradient: Tensor
    /// du [B, S, I], overwritten.
    public let inputGradient: Tensor
    /// ddelta [B, S, I], before softplus, overwritten.
    public let deltaGradient: Tensor
    /// dB [B·S, N], overwritten.
    public let inputMatrixGradient: MatrixView
    /// dC [B·S, N], overwritten.
    public let outputMatrixGradient: MatrixView
    /// dz [B·S, I], overwritten.
    public let gateGradient: MatrixView
    /// dA_log [I, N], added to.
    public let logDecayGradient: Tensor
    /// dD [I], added to.
    public let skipGradient: Tensor

    /// Describes the gradients of a scan.
    public init(
        forward: SelectiveScan, outputGradient: Tensor, inputGradient: Tensor, deltaGradient: Tensor,
        inputMatrixGradient: MatrixView, outputMatrixGradient: MatrixView, gateGradient: MatrixView,
        logDecayGradient: Tensor, skipGradient: Tensor
    ) {
        self.forward = forward
        self.outputGradient = outputGradient
        self.inputGradient = inputGradient
        self.deltaGradient = deltaGradient
        self.inputMatrixGradient = inputMatrixGradient
        self.outputMatrixGradient = outputMatrixGradient
        self.gateGradient = gateGradient
        self.logDecayGradient = logDecayGradient
        self.skipGradient = skipGradient
    }

    public var operands: [Operand] {
        forward.operands.filter { $0.access == .read } + [
            Operand("outputGradient", outputGradient, .read), Operand("inputGradient", inputGradient, .write),
            Operand("deltaGradient", deltaGradient, .write),
            Operand("inputMatrixGradient", inputMatrixGradient, .write),
            Operand("outputMatrixGradient", outputMatrixGradient, .write),
            Operand("gateGradient", gateGradient, .write),
            Operand("logDecayGradient", logDecayGradient, .update), Operand("skipGradient", skipGradient, .update),
        ]
    }

    public var work: Work {
        let count = outputGradient.shape.elementCount
        return Work(flops: count * (30 * forward.stateCount + 30), bytes: 3 * forward.work.bytes)
    }

    public func validate() throws(ValidationError) {
        try forward.validate()
        let carries = forward.initialState != nil || forward.finalState != nil
        try validator.require(!carries, "forward", "a scan without carried states", "one that carries")
        let shape = forward.input.shape
        let (rows, states) = (shape[0] * shape[1], forward.stateCount)
        try validator.require(outputGradient, "outputGradient", is: shape)
        try validator.require(inputGradient, "inputGradient", is: shape)
        try validator.require(deltaGradient, "deltaGradient", is: shape)
        try validator.require(inputMatrixGradient, "inputMatrixGradient", rows: rows, columns: states)
        try validator.require(outputMatrixGradient, "outputMatrixGradient", rows: rows, columns: states)
        try validator.require(gateGradient, "gateGradient", rows: rows, columns: shape[2])
        try validator.require(logDecayGradient, "logDecayGradient", is: forward.logDecay.shape)
        try validator.require(skipGradient, "skipGradient", is: forward.skip.shape)
    }
}

extension SelectiveScan: Differentiable {
    public func recordBackward(into tape: inout GradientTape) throws(ValidationError) {
        guard let dy = try tape.gradient(of: output) else { return }
        try tape.append(
            SelectiveScanBackward(
                forward: self, outputGradient: dy, inputGradient: tape.share(of: input),
                deltaGradient: tape.share(of: delta), inputMatrixGradient: tape.share(of: inputMatrix),
                outputMatrixGradient: tape.share(of: outputMatrix), gateGradient: tape.share(of: gate),
                logDecayGradient: tape.parameterGradient(of: logDecay),
                skipGradient: tape.parameterGradient(of: skip)))
    }
}
