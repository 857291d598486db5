import ComputeCore
import OpenCLBackend
import Pipeline
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
        let loss = try TokenDenoiser(configuration, precision: precision, purpose: .training)
            .lossPlan(batch: batch, length: length)
        let plans = try TrainingStep.Plans(configuration, loss: loss, maximumNorm: 1, decay: 0.01)
        let state = weights.reduce(into: [:]) { $0[$1.key] = $1.values }
        let training = try TrainingStep(plans, of: configuration, state: state, on: backend)
        let gradients = training.gradients
        let half = Int32(bitPattern: 1 << 31)
        let clean = (0..<batch * length).map { Int32($0 * 7919 % configuration.vocabularySize) }
        try gradients.write("clean", HostTensor([batch, length], clean))
        try gradients.write("thresholds", HostTensor([batch, length, 2], clean.flatMap { _ in [half, 0] }))
        let weight = 2 / Float(batch * length)
        try gradients.write("weights", HostTensor([batch], [Float](repeating: weight, count: batch)))
        var step = 0
        return BenchedStep(plans: [plans.gradients, plans.update]) {
            step += 1
            let parameters = StepParameters(step: Int32(step), seed: 0)
            try gradients.write("step", HostTensor(StepParameters.shape, parameters.words))
            try gradients.run()
            let schedule = AdamWSchedule(rate: 1e-4, step: step, averageDecay: 0.999)
            try training.takeStep(schedule, clip: gradients.read("clip"))
        }
    }
}
