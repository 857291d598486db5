import ComputeCore

/// Full self-attention around its residual: y = x + out(attention(qkv(norm))).
struct AttentionMixer {
    let configuration: TrunkConfiguration
    let parameters: ParameterScope
    let precision: Precision
    let purpose: RecordingPurpose

    /// Records the layer.
    ///
    /// `x` is the residual stream [B, S, D] and `normalised` its normalisation.
    func record(_ x: Tensor, normalised: Tensor, into plan: inout Plan) throws(ValidationError) -> Tensor {
        let (batch, length, width) = (x.shape[0], x.shape[1], x.shape[2])

        let projections = plan.intermediate([batch, length, 3 * width])
        try plan.append(
            Linear(
                input: normalised.matrix,
                weight: parameters.matrix("qkv.weight", [3 * width, width], in: &plan),
                bias: parameters("qkv.bias", [3 * width], in: &plan), precision: precision,
                output: projections.matrix))

        let attended = plan.intermediate(x.shape)
        try plan.append(
            Attention(
                projections: projections, headCount: configuration.headCount, rotaryBase: configuration.rotaryBase,
                precision: purpose.attention(precision), output: attended,
                logSumExp: purpose == .training
                    ? plan.intermediate([batch, configuration.headCount, length]) : nil))

        let y = plan.intermediate(x.shape)
        try plan.append(
            Linear(
                input: attended.matrix,
                weight: parameters.matrix("out.weight", [width, width], in: &plan),
                bias: parameters("out.bias", [width], in: &plan), residual: x, precision: precision,
                output: y.matrix))
        return y
    }
}
