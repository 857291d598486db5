import ComputeCore

extension OperandCase {
    /// A gradient's arguments are those of the layer and the gradients, which have the sizes of what they belong to.
    static let training = [
        OperandCase(
            "activation_backward", leading: ["gradient"], harmless: ["gradient": [.rank], "saved": [.rank]]
        ) {
            ActivationBackward(
                gradient: $0("gradient", [2, 6, 4]).matrix, saved: $0("saved", [2, 6, 4]).matrix, activation: .gelu)
        },
        OperandCase("attention_backward", leading: ["output"]) {
            AttentionBackward(
                forward: attention(&$0), outputGradient: $0("outputGradient", [2, 6, 8]),
                projectionsGradient: $0("projectionsGradient", [2, 6, 24]))
        },
        OperandCase(
            "causal_convolution_backward", leading: ["output", "weight"],
            harmless: ["input": [.rank], "inputGradient": [.rank]]
        ) {
            CausalConvolutionBackward(
                forward: causalConvolution(&$0), outputGradient: $0("outputGradient", [2, 6, 4]),
                inputGradient: $0("inputGradient", [2, 6, 4]).matrix, weightGradient: $0("weightGradient", [4, 1, 3]),
                biasGradient: $0("biasGradient", [4]))
        },
        OperandCase("cross_entropy", leading: ["logits"], harmless: ["logits": [.lastExtent]]) {
            CrossEntropy(
                logits: $0("logits", [2, 6, 9]), targets: $0("targets", [2, 6], .int32),
                selector: $0("selector", [2, 6], .int32), selected: 9, weights: $0("weights", [2]),
                losses: $0("losses", [2, 6]))
        },
        OperandCase("binary_cross_entropy", leading: ["logits"]) {
            BinaryCrossEntropy(
                logits: $0("logits", [2, 6, 9]), targets: $0("targets", [2, 6, 9]), known: $0("known", [2, 6, 9]),
                weights: $0("weights", [2]), loss: .crossEntropy, losses: $0("losses", [2, 6]))
        },
        OperandCase("embedding_backward", leading: ["tokens", "table"]) {
            EmbeddingBackward(
                forward: embedding(&$0), outputGradient: $0("outputGradient", [2, 6, 4]),
                tableGradient: $0("tableGradient", [9, 4]))
        },
        OperandCase("layer_norm_backward", leading: ["input"]) {
            LayerNormBackward(
                forward: layerNorm(&$0), outputGradient: $0("outputGradient", [2, 6, 4]),
                inputGradient: $0("inputGradient", [2, 6, 4]), accumulates: false,
                weightGradient: $0("weightGradient", [4]), biasGradient: $0("biasGradient", [4]))
        },
        OperandCase(
            "linear_backward", leading: ["input", "weight"],
            harmless: ["input": [.rank], "output": [.rank], "outputGradient": [.rank], "inputGradient": [.rank]]
        ) {
            LinearBackward(
                forward: linear(&$0), outputGradient: $0("outputGradient", [2, 6, 5]).matrix,
                inputGradient: $0("inputGradient", [2, 6, 4]).matrix, accumulates: true,
                weightGradient: $0("weightGradient", [5, 4], as: .matrix), biasGradient: $0("biasGradient", [5]))
        },
        OperandCase(
            "selective_scan_backward", leading: ["input", "logDecay"],
            harmless: [
                "inputMatrix": [.rank], "outputMatrix": [.rank], "gate": [.rank], "inputMatrixGradient": [.rank],
                "outputMatrixGradient": [.rank], "gateGradient": [.rank],
            ]
        ) {
            SelectiveScanBackward(
                forward: scan(&$0), outputGradient: $0("outputGradient", [2, 6, 8]),
                inputGradient: $0("inputGradient", [2, 6, 8]), deltaGradient: $0("deltaGradient", [2, 6, 8]),
                inputMatrixGradient: $0("inputMatrixGradient", [2, 6, 3]).matrix,
                outputMatrixGradient: $0("outputMatrixGradient", [2, 6, 3]).matrix,
                gateGradient: $0("gateGradient", [2, 6, 8]).matrix,
                logDecayGradient: $0("logDecayGradient", [8, 3]), skipGradient: $0("skipGradient", [8]))
        },
        OperandCase("strided_convolution_backward", leading: ["input", "weight"]) {
            StridedConvolutionBackward(
                forward: stridedConvolution(&$0), outputGradient: $0("outputGradient", [2, 2, 5]),
                inputGradient: $0("inputGradient", [2, 8, 3]),
                weightGradient: $0("weightGradient", [5, 3, 4], as: .stridedConvolution),
                biasGradient: $0("biasGradient", [5]))
        },
        OperandCase("transposed_convolution_backward", leading: ["input", "weight"]) {
            TransposedConvolutionBackward(
                forward: transposedConvolution(&$0), outputGradient: $0("outputGradient", [2, 8, 3]),
                inputGradient: $0("inputGradient", [2, 2, 5]),
                weightGradient: $0("weightGradient", [5, 3, 4], as: .transposedConvolution),
                biasGradient: $0("biasGradient", [3]))
        },
        OperandCase("adamw", leading: ["weight"]) { adamW(&$0) },
        OperandCase(
            "gradient_norm", leading: [], harmless: ["gradients": [.rank, .firstExtent, .lastExtent]]
        ) {
            GradientNorm(gradients: [$0("gradients", [5, 4])], maximum: 1, output: $0("output", [2]))
        },
        OperandCase("sum_values", leading: [], harmless: ["values": [.rank, .firstExtent, .lastExtent, .empty]]) {
            SumValues(values: $0("values", [7]), output: $0("output", [1]))
        },
    ]

    static func adamW(_ a: inout Arguments, decay: Float = 0.1) -> AdamW {
        AdamW(
            weight: a("weight", [5, 4]), gradient: a("gradient", [5, 4]), firstMoment: a("firstMoment", [5, 4]),
            secondMoment: a("secondMoment", [5, 4]), average: a("average", [5, 4]), clip: a("clip", [2]),
            schedule: a("schedule", AdamWSchedule.shape), decay: decay)
    }
}
