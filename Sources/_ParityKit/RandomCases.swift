import ComputeCore

extension ParityCase {
    /// A case of an operation whose sizes, switches and kind of values the seed draws; nil if there is no such operation.
    public static func random(_ operation: String, seed: UInt64) -> ParityCase? {
        guard let family = families[operation] else { return nil }
        var draws = CaseDraws(seed: seed)
        var parityCase = family.make(&draws)
        parityCase.kind = draws.pick(family.kinds)
        return parityCase
    }

    /// What may be drawn for an operation.
    private struct Family: Sendable {
        let kinds: [SeededValues.Kind]
        let make: @Sendable (inout CaseDraws) -> ParityCase

        init(_ kinds: [SeededValues.Kind], _ make: @escaping @Sendable (inout CaseDraws) -> ParityCase) {
            self.kinds = kinds
            self.make = make
        }
    }

    private static let finite: [SeededValues.Kind] = [.model, .outliers, .denormal, .equal, .sparse]
    private static let any = finite + [.undefined, .nonFinite]
    /// Where a softmax is compared value by value: the last bit of a score of millions decides which term has all the weight.
    private static let moderate = any.filter { $0 != .outliers }
    private static let logits = any + [.masks]

    private static let families: [String: Family] = [
        Embedding.name: Family(any) { draws in
            embedding(
                batch: draws.size(1...3), length: draws.size(1...80), rows: draws.size(1...300),
                width: draws.size(1...130))
        },
        StridedConvolution.name: Family(any) { draws in
            let stride = draws.size(1...5)
            return stridedConvolution(
                batch: draws.size(1...3), length: stride * draws.size(1...20), channels: draws.size(1...70),
                features: draws.size(1...130), stride: stride)
        },
        LayerNorm.name: Family(any) { draws in
            layerNorm(batch: draws.size(1...3), length: draws.size(1...40), width: draws.size(1...520))
        },
        Linear.name: Family(any) { draws in linear(linearShape(&draws, activations: [.none, .relu])) },
        CausalConvolution.name: Family(any) { draws in
            causalConvolution(
                batch: draws.size(1...3), length: draws.size(1...140), channels: draws.size(1...140),
                width: draws.size(1...5))
        },
        // What an infinite state becomes where its decay vanishes is left open.
        SelectiveScan.name: Family(finite + [.undefined]) { draws in
            selectiveScan(
                batch: draws.size(1...3), length: draws.size(1...280), channels: draws.size(1...80),
                states: draws.pick(stateCounts), carries: draws.flag())
        },
        Attention.name: Family(moderate) { draws in
            let isRounded = draws.pick([false, false, false, true])
            return attention(
                batch: draws.size(1...3), length: draws.size(1...140), heads: draws.size(1...4),
                width: draws.pick(headWidths), precision: isRounded ? .bfloat16 : .float32, savesLogSum: draws.flag())
        },
        TransposedConvolution.name: Family(any) { draws in
            let stride = draws.size(1...5)
            return transposedConvolution(
                batch: draws.size(1...3), length: stride * draws.size(1...20), channels: draws.size(1...70),
                features: draws.size(1...130), stride: stride)
        },
        TokenDraw.name: Family(logits) { draws in
            tokenDraw(
                batch: draws.size(1...3), length: draws.size(1...40), ids: draws.size(1...300),
                temperature: draws.pick(temperatures), topP: draws.pick(topPs))
        },
        GrammarDraw.name: Family(moderate + [.masks]) { draws in
            let padded = draws.size(1...60)
            let ids = draws.size(4...200)
            let temperature = draws.pick(temperatures)
            return grammarDraw(
                batch: draws.size(1...3), padded: padded, length: min(draws.size(1...60), padded),
                ids: ids, temperature: temperature, topP: draws.pick(topPs),
                rungs: draws.pick([nil, 1, 3, 30, 100]).map { min($0, ids - 1) },
                close: temperature == 0 && draws.flag() ? .ties : .chance)
        },
        Reveal.name: Family([.model]) { draws in
            let padded = draws.size(1...300)
            return reveal(
                batch: draws.size(1...3), padded: padded, length: min(draws.size(1...300), padded),
                draws.pick(["independent", "scheduled", "confidence"]))
        },
        Corrupt.name: Family([.model]) { draws in corrupt(batch: draws.size(1...3), length: draws.size(1...300)) },
        CellDraw.name: Family(logits) { draws in
            cellDraw(
                batch: draws.size(1...3), steps: draws.size(1...20), width: draws.size(1...200),
                temperature: draws.pick(temperatures))
        },
        BinomialStep.name: Family([.model]) { draws in
            let planes = draws.pick([1, 2, 3])
            return binomialStep(
                batch: draws.size(1...3), steps: draws.size(1...20), width: planes * draws.size(1...100), planes: planes
            )
        },
    ].merging(backwardFamilies) { forward, _ in forward }

    private static let backwardFamilies: [String: Family] = [
        CrossEntropy.name: Family(logits) { draws in
            crossEntropy(batch: draws.size(1...3), length: draws.size(1...40), ids: draws.size(1...300))
        },
        BinaryCrossEntropy.name: Family(logits) { draws in
            binaryCrossEntropy(
                batch: draws.size(1...3), steps: draws.size(1...40), width: draws.size(1...300),
                draws.pick(BinaryCrossEntropy.Loss.allCases))
        },
        // An infinity may make the sum infinite or NaN, as the device's order of additions has it.
        SumValues.name: Family(finite + [.undefined]) { draws in sumValues(count: draws.size(1...20000)) },
        LinearBackward.name: Family(any) { draws in
            var shape = linearShape(&draws, activations: [.none])
            // Depths that matrix tiles take, and a weight's gradient in several blocks.
            if shape.precision == .bfloat16, draws.flag() {
                shape.outputs = shape.outputs.roundedUp(to: 32)
                shape.rows = shape.rows.roundedUp(to: 32) + draws.pick([0, 0, 1024])
            }
            return linearBackward(shape)
        },
        TransposedConvolutionBackward.name: Family(any) { draws in
            let stride = draws.size(1...5)
            return transposedConvolutionBackward(
                batch: draws.size(1...3), length: stride * draws.size(1...20), channels: draws.size(1...40),
                features: draws.size(1...70), stride: stride)
        },
        // Kernels subtract the sum of dy·y where the formula has that of p·(dy·v): one may be infinite where the other is NaN.
        AttentionBackward.name: Family(moderate.filter { $0 != .nonFinite }) { draws in
            attentionBackward(
                batch: draws.size(1...2), length: draws.size(1...70), heads: draws.size(1...3),
                width: draws.pick(headWidths))
        },
        Activate.name: Family(any) { draws in
            activate(
                batch: draws.size(1...3), rows: draws.size(1...40), columns: draws.size(1...300),
                draws.pick([.none, .relu, .gelu]))
        },
        // An infinite gradient takes the sign of the slope, which is open where GELU is flat.
        ActivationBackward.name: Family(finite + [.undefined]) { draws in
            activationBackward(
                batch: draws.size(1...3), rows: draws.size(1...40), columns: draws.size(1...300),
                draws.pick([.relu, .gelu]))
        },
        SelectiveScanBackward.name: Family(finite) { draws in
            selectiveScanBackward(
                batch: draws.size(1...3), length: draws.size(1...140), channels: draws.size(1...40),
                states: draws.pick(stateCounts))
        },
        CausalConvolutionBackward.name: Family(finite) { draws in
            causalConvolutionBackward(
                batch: draws.size(1...3), length: draws.size(1...140), channels: draws.size(1...140),
                width: draws.size(1...5))
        },
        LayerNormBackward.name: Family(any) { draws in
            layerNormBackward(
                batch: draws.size(1...3), length: draws.size(1...70), width: draws.size(1...300),
                accumulates: draws.flag())
        },
        StridedConvolutionBackward.name: Family(any) { draws in
            let stride = draws.size(1...5)
            return stridedConvolutionBackward(
                batch: draws.size(1...3), length: stride * draws.size(1...20), channels: draws.size(1...40),
                features: draws.size(1...70), stride: stride)
        },
        EmbeddingBackward.name: Family(any) { draws in
            embeddingBackward(
                batch: draws.size(1...3), length: draws.size(1...140), rows: draws.size(1...200),
                width: draws.size(1...70))
        },
        CopyRows.name: Family(any) { draws in
            copyRows(
                batch: draws.size(1...3), rows: draws.size(1...40), columns: draws.size(1...300),
                accumulates: draws.flag())
        },
        GradientNorm.name: Family(any) { draws in
            let sizes = (0..<draws.size(1...4)).map { _ in draws.size(1...2000) }
            return gradientNorm(maximum: draws.pick([1, 3, 1e9]), sizes: sizes)
        },
        AdamW.name: Family(any) { draws in
            adamW(
                rows: draws.size(1...70), columns: draws.size(1...130), layout: draws.pick([.plain, .matrix]),
                decay: draws.pick([0, 0.1]))
        },
    ]

    // Kernels are compiled for each of these, so they are few.
    private static let stateCounts = [1, 2, 3, 5, 7, 8, 16, 17, 33, 64]
    private static let headWidths = [2, 8, 16, 30, 32, 34, 64, 96, 128]

    private static let temperatures = [0, 0.02, 0.5, 0.8, 1, 1, 1, 1.3, 5]
    private static let topPs = [1, 1, 1, 0.95, 0.9, 0.45, 0.05, 1e-6]

    private static func linearShape(_ draws: inout CaseDraws, activations: [Activation]) -> LinearShape {
        var shape = LinearShape(
            batch: draws.size(1...3), rows: draws.size(1...100), outputs: draws.size(1...140),
            inputs: draws.size(1...260), hasBias: draws.flag(), activation: draws.pick(activations),
            hasResidual: draws.flag(), inputMargin: draws.pick([0, 0, 0, 1, 5, 16]),
            outputMargin: draws.pick([0, 0, 0, 3, 32]),
            precision: draws.pick([.float32, .float32, .float32, .bfloat16]))
        // The depth that matrix tiles take.
        if shape.precision == .bfloat16, draws.flag() { shape.inputs = shape.inputs.roundedUp(to: 32) }
        shape.roundsWeight = shape.precision == .bfloat16 && draws.flag()
        return shape
    }
}
