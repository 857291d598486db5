import ComputeCore

extension ParityCase {
    /// Integers: equal bit for bit.
    static let corrupt: [ParityCase] = [(1, 1), (2, 17), (3, 512), (1, 2048)].map { corrupt(batch: $0, length: $1) }

    static func corrupt(batch: Int, length: Int) -> ParityCase {
        ParityCase("corrupt", "B=\(batch) L=\(length)", tolerance: 0) { seeded in
            var values = seeded
            var instance = ParityInstance()
            // From never to always: the probabilities reach beyond [0, 1].
            let thresholds = values.uniform(batch * length, in: -0.2...1.2).flatMap {
                Philox.threshold(probability: Double($0)).halfWords
            }
            let noisy = instance.output("noisy", [batch, length], .int32)
            try instance.plan.append(
                Corrupt(
                    clean: instance.input("clean", [batch, length], values.integers(batch * length, in: 0..<190)),
                    thresholds: instance.input("thresholds", [batch, length, 2], thresholds),
                    step: instance.step(StepParameters(step: 3, firstSample: 5, seed: seeded.seed)), maskToken: 190,
                    noisy: noisy))
            return instance
        }
    }

    /// Integers: equal bit for bit, under every rule; equal confidences are among the values.
    static let reveal: [ParityCase] = [(1, 1, 1), (2, 20, 17), (3, 512, 511), (8, 2048, 2047)].flatMap {
        batch, padded, length in
        ["independent", "scheduled", "confidence"].map { reveal(batch: batch, padded: padded, length: length, $0) }
    }

    static func reveal(batch: Int, padded: Int, length: Int, _ rule: String) -> ParityCase {
        ParityCase("reveal", "B=\(batch) L=\(length) of \(padded) \(rule)", tolerance: 0) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let shape: Shape = [batch, padded]
            let count = batch * padded
            let tokens = zip(values.integers(count, in: 0..<190), values.integers(count, in: 0..<2))
                .map { $1 == 0 ? $0 : Int32(190) }
            let parameters = StepParameters(
                step: 2, firstSample: 1, seed: seeded.seed, revealThreshold: Philox.threshold(probability: 0.3),
                revealCount: Int32(length / 4 + 1))
            let tensor = try instance.input("tokens", shape, tokens)
            instance.compare(tensor, as: "tokens")
            let chosen: Reveal.Rule =
                switch rule {
                case "independent": .independent
                case "scheduled": .scheduled(try instance.input("steps", shape, values.integers(count, in: 0..<5)))
                default:
                    .confidence(
                        try instance.input(
                            "confidence", shape, values.integers(count, in: 0..<50).map { Float($0) / 49 }))
                }
            try instance.plan.append(
                Reveal(
                    tokens: tensor,
                    candidates: instance.input("candidates", shape, values.integers(count, in: 0..<190)),
                    step: instance.step(parameters), rule: chosen, length: length, maskToken: 190))
            return instance
        }
    }
}

extension ParityInstance {
    mutating func step(_ parameters: StepParameters) throws -> Tensor {
        try input("step", StepParameters.shape, parameters.words)
    }
}
