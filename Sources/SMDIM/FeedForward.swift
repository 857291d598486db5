import ComputeCore

/// The feed-forward layer around its residual: y = x + fc2(GELU(fc1(norm))).
struct FeedForward {
    let configuration: TrunkConfiguration
    let parameters: ParameterScope
    let precision: Precision
    let purpose: RecordingPurpose

    /// Records the layer.
    ///
    /// `x` is the residual stream [B, S, D] and `normalised` its normalisation.
    func record(_ x: Tensor, normalised: Tensor, into plan: inout Plan) throws(ValidationError) -> Tensor {
        let width = configuration.modelWidth
        let hiddenWidth = configuration.feedForwardWidth

        var hidden = plan.intermediate([x.shape[0], x.shape[1], hiddenWidth])
        try plan.append(
            Linear(
                input: normalised.matrix,
                weight: parameters.matrix("fc1.weight", [hiddenWidth, width], in: &plan),
                bias: parameters("fc1.bias", [hiddenWidth], in: &plan),
                activation: purpose == .inference ? .gelu : .none, precision: precision, output: hidden.matrix))
        if purpose == .training {
            let sums = hidden
            hidden = plan.intermediate(sums.shape)
            try plan.append(Activate(input: sums, activation: .gelu, output: hidden))
        }

        let y = plan.intermediate(x.shape)
        try plan.append(
            Linear(
                input: hidden.matrix,
                weight: parameters.matrix("fc2.weight", [width, hiddenWidth], in: &plan),
                bias: parameters("fc2.bias", [width], in: &plan), residual: x, precision: precision,
                output: y.matrix))
        return y
    }
}
