import ComputeCore

/// The Mamba layer (arXiv 2312.00752) around its residual: y = x + out_proj(scan(conv(in_proj(norm))))
///
/// B samples, S positions, D features, I inner channels, N states, R the rank of the step sizes.
struct MambaMixer {
    let configuration: TrunkConfiguration
    let parameters: ParameterScope
    let precision: Precision

    /// Records the layer. `x` is the residual stream [B, S, D] and `normalised` its normalisation.
    func record(_ x: Tensor, normalised: Tensor, into plan: inout Plan) throws(ValidationError) -> Tensor {
        let (batch, length, width) = (x.shape[0], x.shape[1], x.shape[2])
        let inner = configuration.innerWidth
        let (states, rank) = (configuration.stateCount, configuration.stepRank)

        // Columns of in_proj: x before the convolution, then the gate z.
        let expanded = plan.intermediate([batch, length, 2 * inner])
        try plan.append(
            Linear(
                input: normalised.matrix,
                weight: parameters.matrix("in_proj.weight", [2 * inner, width], in: &plan),
                precision: precision, output: expanded.matrix))

        let u = plan.intermediate([batch, length, inner])
        try plan.append(
            CausalConvolution(
                input: expanded.columns(0..<inner),
                weight: parameters("conv1d.weight", [inner, 1, configuration.convolutionWidth], in: &plan),
                bias: parameters("conv1d.bias", [inner], in: &plan), output: u))

        // Columns of x_proj: the step sizes' factors, B, C.
        let selected = plan.intermediate([batch, length, rank + 2 * states])
        try plan.append(
            Linear(
                input: u.matrix,
                weight: parameters.matrix("x_proj.weight", [rank + 2 * states, inner], in: &plan),
                precision: precision, output: selected.matrix))

        let delta = plan.intermediate([batch, length, inner])
        try plan.append(
            Linear(
                input: selected.columns(0..<rank),
                weight: parameters.matrix("dt_proj.weight", [inner, rank], in: &plan),
                bias: parameters("dt_proj.bias", [inner], in: &plan), precision: precision, output: delta.matrix))

        let scanned = plan.intermediate([batch, length, inner])
        try plan.append(
            SelectiveScan(
                input: u, delta: delta,
                inputMatrix: selected.columns(rank..<rank + states),
                outputMatrix: selected.columns(rank + states..<rank + 2 * states),
                gate: expanded.columns(inner..<2 * inner),
                logDecay: parameters("A_log", [inner, states], in: &plan),
                skip: parameters("D", [inner], in: &plan), output: scanned))

        let y = plan.intermediate(x.shape)
        try plan.append(
            Linear(
                input: scanned.matrix,
                weight: parameters.matrix("out_proj.weight", [width, inner], in: &plan),
                residual: x, precision: precision, output: y.matrix))
        return y
    }
}
