import CKernels
import OpenCLRuntime

/// A `.cl` file of `Kernels/` and the headers that are compiled before it.
enum KernelFile: String, Hashable, Sendable {
    case activate = "activate.cl"
    case activationBackward = "activation_backward.cl"
    case adamW = "adamw.cl"
    case attentionAMX = "attention_amx.cl"
    case attentionBackwardNaive = "attention_backward_naive.cl"
    case attentionBackwardPanels = "attention_backward_panels.cl"
    case attentionBackwardTiles = "attention_backward_tiles.cl"
    case attentionNaive = "attention_naive.cl"
    case attentionPanels = "attention_panels.cl"
    case attentionPanelsBF16 = "attention_panels_bf16.cl"
    case attentionTiles = "attention_tiles.cl"
    case binaryCrossEntropy = "binary_cross_entropy.cl"
    case binomialStep = "binomial_step.cl"
    case causalConvolution = "causal_convolution.cl"
    case causalConvolutionBackward = "causal_convolution_backward.cl"
    case cellDraw = "cell_draw.cl"
    case copyRows = "copy_rows.cl"
    case corrupt = "corrupt.cl"
    case crossEntropy = "cross_entropy.cl"
    case embedding = "embedding.cl"
    case embeddingBackward = "embedding_backward.cl"
    case grammarDraw = "grammar_draw.cl"
    case grammarMessages = "grammar_messages.cl"
    case grammarPath = "grammar_path.cl"
    case layerNorm = "layer_norm.cl"
    case layerNormBackward = "layer_norm_backward.cl"
    case linearBackwardNaive = "linear_backward_naive.cl"
    case linearEpilogue = "linear_epilogue.cl"
    case matmulAMX = "matmul_amx.cl"
    case matmulNaive = "matmul_naive.cl"
    case matmulPanels = "matmul_panels.cl"
    case normSquares = "norm_squares.cl"
    case packPairs = "pack_pairs.cl"
    case packPanels = "pack_panels.cl"
    case reveal = "reveal.cl"
    case roundRows = "round_rows.cl"
    case selectiveScanBackward = "selective_scan_backward.cl"
    case selectiveScanNaive = "selective_scan_naive.cl"
    case selectiveScanParallel = "selective_scan_parallel.cl"
    case selectiveScanSerial = "selective_scan_serial.cl"
    case sumRows = "sum_rows.cl"
    case sumValues = "sum_values.cl"
    case tokenDraw = "token_draw.cl"

    /// The headers, in the order of compilation.
    private var headers: [String] {
        switch self {
        case .activate, .activationBackward, .linearEpilogue, .matmulNaive: Self.math + ["activation.clh"]
        case .matmulPanels: Self.product + ["norm_row.clh", "product_row.clh"]
        case .matmulAMX: Self.product + ["product_row.clh", "amx.clh"]
        case .packPairs, .packPanels: Self.lanes + ["panels.clh", "bfloat16.clh", "transpose.clh"]
        case .roundRows: Self.lanes + ["panels.clh", "bfloat16.clh"]
        case .attentionPanelsBF16: Self.pairAttention + ["attention_tile.clh", "attention_scores.clh"]
        case .attentionAMX: Self.pairAttention + ["amx.clh"]
        case .attentionBackwardNaive, .attentionNaive: Self.lanes + ["rotary.clh"]
        case .attentionBackwardTiles, .attentionTiles: Self.lanes + ["rotary.clh", "head_blocks.clh"]
        case .attentionPanels:
            Self.math + ["panels.clh", "rotary.clh", "bfloat16.clh", "attention_tile.clh", "attention_scores.clh"]
        case .attentionBackwardPanels: Self.math + ["panels.clh", "rotary.clh", "attention_tile.clh"]
        case .binomialStep, .cellDraw, .corrupt: ["prelude.clh", "philox.clh"]
        case .reveal: Self.lanes + ["philox.clh"]
        case .tokenDraw: Self.lanes + ["philox.clh", "categorical.clh"]
        case .grammarDraw: Self.math + ["philox.clh", "categorical.clh", "wide_float.clh"]
        case .grammarMessages: ["prelude.clh", "wide_float.clh", "automaton.clh"]
        case .grammarPath: ["prelude.clh", "philox.clh", "wide_float.clh", "automaton.clh"]
        case .layerNorm, .layerNormBackward: Self.lanes + ["bfloat16.clh", "norm_row.clh"]
        case .selectiveScanSerial: Self.math + ["bfloat16.clh", "state_tile.clh"]
        case .selectiveScanBackward: Self.math + ["state_tile.clh"]
        case .binaryCrossEntropy, .causalConvolution, .causalConvolutionBackward, .crossEntropy, .selectiveScanParallel:
            Self.math
        default: Self.lanes
        }
    }

    private static let lanes = ["prelude.clh", "lanes.clh"]
    private static let math = lanes + ["vector_math.clh"]
    private static let product = math + ["activation.clh", "panels.clh", "bfloat16.clh"]
    private static let pairAttention = math + ["panels.clh", "rotary.clh", "bfloat16.clh", "pair_weights.clh"]

    /// Every file of the program, in the order of compilation.
    ///
    /// - Throws: `invalidArgument` for a file that `CKernels.c` does not embed.
    func sources() throws(OpenCLError) -> [Specialisation.Source] {
        try (headers + [rawValue]).map { name throws(OpenCLError) in
            guard let file = ckernels_file(name)?.pointee else {
                throw .invalidArgument(name: name, expected: "a file that CKernels.c lists", got: "none of this name")
            }
            return Specialisation.Source(fileName: String(cString: file.name), text: String(cString: file.text))
        }
    }
}

/// A kernel as it is compiled: a file, an entry point in it, and its defines in order.
struct KernelVariant: Hashable, Sendable {
    let file: KernelFile
    let entry: String
    let defines: [Specialisation.Define]

    /// A variant; a define of nil is left out, and the entry is the file's stem unless given.
    init(
        _ file: KernelFile, entry: String? = nil, _ defines: KeyValuePairs<String, Int?> = [:],
        and more: KeyValuePairs<String, Int?> = [:]
    ) {
        self.file = file
        self.entry = entry ?? String(file.rawValue.dropLast(".cl".count))
        self.defines = (Array(defines) + Array(more)).compactMap { name, value in
            value.map { Specialisation.Define(name, $0) }
        }
    }

    /// A kernel that packs pairs, which only devices with instructions for them take.
    static func packPairs(_ entry: String) -> KernelVariant {
        KernelVariant(.packPairs, entry: entry, ["BFLOAT16": 1])
    }

    /// The same with one more define.
    func defining(_ name: String, _ value: String) -> KernelVariant {
        KernelVariant(file: file, entry: entry, defines: defines + [Specialisation.Define(name, value)])
    }

    private init(file: KernelFile, entry: String, defines: [Specialisation.Define]) {
        self.file = file
        self.entry = entry
        self.defines = defines
    }
}

extension Bool {
    /// The value of a define that is there or not.
    var define: Int? { self ? 1 : nil }
}
