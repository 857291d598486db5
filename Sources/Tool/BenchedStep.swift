import ComputeCore
import OpenCLBackend
import SMDIM

/// A step that is timed again and again: its plans, and what runs them to the end.
struct BenchedStep {
    /// What one run computes.
    let plans: [Plan]
    /// Runs the step and waits for it.
    let run: () throws -> Void

    /// Floating-point operations of one run.
    var flops: Int { plans.reduce(0) { $0 + $1.work.flops } }
}

extension BenchMeasurement {
    /// The step that is measured, ready to run.
    func step(on backend: OpenCLBackend) throws -> BenchedStep {
        isTraining ? try trainingStep(on: backend) : try denoisingStep(on: backend)
    }

    /// Tokens enqueued to logits finished, sampling excluded.
    private func denoisingStep(on backend: OpenCLBackend) throws -> BenchedStep {
        let (plan, tokens) = try (plan(), tokens())
        let executable = try backend.compile(plan, parameters: backend.prepare(weights))
        return BenchedStep(plans: [plan]) {
            try executable.write("tokens", tokens)
            try executable.run()
            try executable.wait()
        }
    }

    /// Forward, backward, AdamW, on tokens of which half are masked.
    private func trainingStep(on backend: OpenCLBackend) throws -> BenchedStep {
        let length = configuration.paddedLength(length)
        let states = try configuration.parameters.flatMap { weight in
            try ParameterKey.Slot.allCases.filter { $0 != .value }.map { slot in
                try ParameterSource(ParameterKey(weight.key.name, slot), weight.layout, weight.shape, nil)
            }
        }
        let parameters = try backend.prepare(weights + states)
        let plans = try [
            TokenDenoiser(configuration, precision: precision, purpose: .training)
                .lossPlan(batch: batch, length: length).training(maximumNorm: 1),
            configuration.updatePlan(decay: 0.01),
        ]
        let (gradients, update) = try (
            backend.compile(plans[0], parameters: parameters), backend.compile(plans[1], parameters: parameters)
        )
        let half = Int32(bitPattern: 1 << 31)
        let clean = (0..<batch * length).map { Int32($0 * 7919 % configuration.vocabularySize) }
        try gradients.write("clean", HostTensor([batch, length], clean))
        try gradients.write("thresholds", HostTensor([batch, length, 2], clean.flatMap { _ in [half, 0] }))
        let weight = 2 / Float(batch * length)
        try gradients.write("weights", HostTensor([batch], [Float](repeating: weight, count: batch)))
        var step = 0
        return BenchedStep(plans: plans) {
            step += 1
            let parameters = StepParameters(step: Int32(step), seed: 0)
            try gradients.write("step", HostTensor(StepParameters.shape, parameters.words))
            try gradients.run()
            try update.write("clip", gradients.read("clip"))
            let schedule = AdamWSchedule(rate: 1e-4, step: step, averageDecay: 0.999)
            try update.write("schedule", HostTensor(AdamWSchedule.shape, schedule.values))
            try update.run()
            try update.wait()
        }
    }
}
