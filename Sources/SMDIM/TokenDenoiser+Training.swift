public import ComputeCore

extension TokenDenoiser {
    /// Records the loss of predicting `clean` behind `noisy`, both int32 [B, L]; see ``CrossEntropy``.
    ///
    /// - Parameters:
    ///   - selector: Tells with `selected` which positions count, int32 [B, L].
    ///   - weights: The weight of each sample's positions, [B].
    /// - Returns: The loss, [1].
    /// - Throws: ``ValidationError`` if the shapes do not fit, or L is not a multiple of the stride.
    public func recordLoss(
        noisy: Tensor, clean: Tensor, selector: Tensor, selected: Int32, weights: Tensor, into plan: inout Plan
    ) throws(ValidationError) -> Tensor {
        let logits = try record(noisy, into: &plan).logits
        let losses = plan.intermediate(noisy.shape)
        try plan.append(
            CrossEntropy(
                logits: logits, targets: clean, selector: selector, selected: selected, weights: weights,
                losses: losses))
        let loss = plan.intermediate([1])
        try plan.append(SumValues(values: losses, output: loss))
        return loss
    }

    /// A plan from `clean` tokens [B, L] to the `loss` [1] of denoising them, without gradients.
    ///
    /// Its other inputs are those of the noise, made on the device as ``Corrupt`` tells (`thresholds` [B, L, 2] and `step`),
    /// and the `weights` [B] of the samples.
    ///
    /// - Throws: ``ValidationError`` if L is not a multiple of the stride.
    public func lossPlan(batch: Int, length: Int) throws(ValidationError) -> Plan {
        var plan = Plan()
        let positions: Shape = [batch, length]
        let clean = plan.input("clean", positions, .int32)
        let thresholds = plan.input("thresholds", [batch, length, 2], .int32)
        let step = plan.input("step", StepParameters.shape, .int32)
        let weights = plan.input("weights", [batch])
        let noisy = plan.intermediate(positions, .int32)
        try plan.append(
            Corrupt(
                clean: clean, thresholds: thresholds, step: step, maskToken: configuration.maskToken, noisy: noisy))
        let loss = try recordLoss(
            noisy: noisy, clean: clean, selector: noisy, selected: configuration.maskToken, weights: weights,
            into: &plan)
        plan.keep(loss, as: "loss")
        return plan
    }

    /// A plan from `noisy` and `clean` tokens [B, L] and a `mask` of ones and zeros to the `loss` [1] and the gradients.
    ///
    /// The loss is weighted with `weights` [B]: all 1 / (number of ones) for the mean over the masked positions.
    ///
    /// - Throws: ``ValidationError`` if L is not a multiple of the stride or the denoiser is not recorded for training.
    public func gradientPlan(batch: Int, length: Int) throws(ValidationError) -> Plan {
        var plan = Plan()
        let positions: Shape = [batch, length]
        let loss = try recordLoss(
            noisy: plan.input("noisy", positions, .int32), clean: plan.input("clean", positions, .int32),
            selector: plan.input("mask", positions, .int32), selected: 1, weights: plan.input("weights", [batch]),
            into: &plan)
        plan.keep(loss, as: "loss")
        return try GradientTape(differentiating: plan).plan
    }
}

extension TokenDenoiser {
    /// The mean cross-entropy over the masked positions, in nats, and its gradient by every weight.
    ///
    /// What is missing to a multiple of the stride is filled with [MASK] that does not count.
    ///
    /// - Parameters:
    ///   - noisy: The tokens that the network sees, int32 [B, L].
    ///   - clean: The tokens to predict, int32 [B, L].
    ///   - mask: 1 where a position counts, else 0; int32 [B, L].
    /// - Returns: `loss` [1] and `grad.` followed by each weight's name.
    /// - Throws: ``ValidationError`` for shapes or ids that do not fit, or what the backend throws.
    public func gradients(
        noisy: HostTensor, clean: HostTensor, mask: HostTensor, weights: [ParameterSource], on backend: any Backend
    ) throws -> [String: HostTensor] {
        for (name, tensor) in [("clean", clean), ("mask", mask)] where tensor.shape != noisy.shape {
            throw ValidationError(
                operation: "gradients", argument: name, expected: "\(noisy.shape), the shape of noisy",
                found: "\(tensor.shape)")
        }
        let noisy = try padded(noisy, "noisy", in: 0...configuration.maskToken, with: configuration.maskToken)
        let clean = try padded(clean, "clean", in: 0...configuration.maskToken - 1, with: 0)
        let mask = try padded(mask, "mask", in: 0...1, with: 0)
        let masked = try mask.integers().reduce(0) { $0 + Float($1) }
        let gradients = try weights.map {
            try ParameterSource(ParameterKey($0.key.name, .gradient), $0.layout, $0.shape, nil)
        }
        let parameters = try backend.prepare(weights + gradients)
        let batch = noisy.shape[0]
        let executable = try backend.compile(
            gradientPlan(batch: batch, length: noisy.shape[1]), parameters: parameters)
        try executable.write("noisy", noisy)
        try executable.write("clean", clean)
        try executable.write("mask", mask)
        try executable.write("weights", HostTensor([batch], [Float](repeating: 1 / max(masked, 1), count: batch)))
        try executable.run()
        var tensors = ["loss": try executable.read("loss")]
        for gradient in gradients { tensors["grad.\(gradient.key.name)"] = try parameters.read(gradient.key) }
        return tensors
    }

    /// Rows of ids that are in `range`, filled on the right to a multiple of the stride.
    private func padded(
        _ tensor: HostTensor, _ name: String, in range: ClosedRange<Int32>, with filler: Int32
    ) throws -> HostTensor {
        let values = try tensor.integers()
        func failure(_ expected: String, _ found: String) -> ValidationError {
            ValidationError(operation: "gradients", argument: name, expected: expected, found: found)
        }
        guard tensor.shape.rank == 2, !values.isEmpty else { throw failure("[B, L]", "\(tensor.shape)") }
        if let index = values.firstIndex(where: { !range.contains($0) }) {
            throw failure("values in \(range)", "\(values[index]) at \(index)")
        }
        let (batch, length) = (tensor.shape[0], tensor.shape[1])
        let padding = [Int32](repeating: filler, count: configuration.paddedLength(length) - length)
        return try HostTensor(
            [batch, length + padding.count],
            (0..<batch).flatMap { values[$0 * length..<($0 + 1) * length] + padding })
    }
}
