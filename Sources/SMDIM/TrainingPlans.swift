public import ComputeCore

extension Plan {
    /// The plan of a loss followed by its backward pass: one micro-batch of training.
    ///
    /// The gradients are added to the parameters in slot ``ParameterKey/Slot/gradient``; `clip` [2] is what
    /// ``GradientNorm`` says about them.
    ///
    /// - Throws: ``ValidationError`` if an operation, as it was recorded, has no gradient.
    public func training(maximumNorm: Float) throws(ValidationError) -> Plan {
        var plan = try GradientTape(differentiating: self).plan
        try plan.appendGradientNorm(maximum: maximumNorm)
        return plan
    }

    /// Appends the norm of all gradients of the plan and keeps it as `clip`.
    fileprivate mutating func appendGradientNorm(maximum: Float) throws(ValidationError) {
        let gradients = parameters.filter { $0.key.slot == .gradient }.map { gradient in
            parameter(gradient.key, gradient.shape, gradient.layout)
        }
        let clip = intermediate([2])
        try append(GradientNorm(gradients: gradients, maximum: maximum, output: clip))
        keep(clip, as: "clip")
    }
}

extension DenoiserConfiguration {
    /// A plan that takes one ``AdamW`` step with every parameter, from the inputs `clip` [2] and `schedule` [7].
    ///
    /// Decay acts on matrices and kernels alone: not on norms, biases, A_log and D.
    ///
    /// - Throws: ``ValidationError`` if the configuration contradicts itself.
    public func updatePlan(decay: Float) throws(ValidationError) -> Plan {
        var plan = Plan()
        let clip = plan.input("clip", [2])
        let schedule = plan.input("schedule", AdamWSchedule.shape)
        for declaration in try parameters {
            func slot(_ slot: ParameterKey.Slot) -> Tensor {
                plan.parameter(ParameterKey(declaration.key.name, slot), declaration.shape, declaration.layout)
            }
            try plan.append(
                AdamW(
                    weight: slot(.value), gradient: slot(.gradient), firstMoment: slot(.firstMoment),
                    secondMoment: slot(.secondMoment), average: slot(.average), clip: clip, schedule: schedule,
                    decay: declaration.decays ? decay : 0))
        }
        return plan
    }
}

extension ParameterDeclaration {
    /// Whether weight decay acts on the parameter.
    fileprivate var decays: Bool { shape.rank > 1 && !key.name.hasSuffix("A_log") }
}
