public import ComputeCore
public import SMDIM

/// A training step on a backend: the gradients of a loss, and the AdamW step that they lead to.
///
/// What trains and what measures training run the same two plans over the same slots of every weight.
public struct TrainingStep {
    /// What a step runs.
    public struct Plans: Sendable {
        /// A micro-batch's loss and the gradients, added to those that are there; see ``Plan/training(maximumNorm:)``.
        public let gradients: Plan
        /// The AdamW step, which clears the gradients; see ``DenoiserConfiguration/updatePlan(decay:)``.
        public let update: Plan

        /// The plans of a loss.
        ///
        /// - Parameters:
        ///   - loss: A plan to the kept tensor `loss`, recorded for training.
        ///   - maximumNorm: The norm above which gradients are scaled down.
        ///   - decay: Weight decay per unit of rate, on matrices only.
        /// - Throws: ``ValidationError`` if an operation has no gradient.
        public init(
            _ configuration: some DenoiserConfiguration, loss: Plan, maximumNorm: Float, decay: Float
        ) throws(ValidationError) {
            gradients = try loss.training(maximumNorm: maximumNorm)
            update = try configuration.updatePlan(decay: decay)
        }
    }

    /// The weights in every slot.
    public let parameters: any ParameterStore
    /// Runs a micro-batch; its inputs are those of the loss.
    public let gradients: any Executable
    private let update: any Executable

    /// Gives the plans memory and kernels.
    ///
    /// - Parameters:
    ///   - state: What the slots begin with; zeros where it says nothing.
    /// - Throws: what the backend throws.
    public init(
        _ plans: Plans, of configuration: some DenoiserConfiguration, state: [ParameterKey: [Float]],
        on backend: any Backend
    ) throws {
        parameters = try backend.prepare(
            configuration.parameters.flatMap { declaration in
                try ParameterKey.Slot.allCases.map { slot in
                    let key = ParameterKey(declaration.key.name, slot)
                    return try ParameterSource(key, declaration.layout, declaration.shape, state[key])
                }
            })
        gradients = try backend.compile(plans.gradients, parameters: parameters)
        update = try backend.compile(plans.update, parameters: parameters)
    }

    /// Takes the AdamW step with the gradients that have been added up, and waits for it.
    ///
    /// - Parameters:
    ///   - clip: What ``gradients`` last kept under this name.
    /// - Throws: what the backend throws.
    public func takeStep(_ schedule: AdamWSchedule, clip: HostTensor) throws {
        try update.write("clip", clip)
        try update.write("schedule", HostTensor(AdamWSchedule.shape, schedule.values))
        try update.run()
        try update.wait()
    }
}
