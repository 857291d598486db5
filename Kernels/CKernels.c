// The only list of kernel files in the project: each file's text is embedded here and found by its base name.
#include "CKernels.h"
#include <stddef.h>
#include <string.h>

static const char activation[] = {
#embed "Common/activation.clh" suffix(, 0)
};
static const char amx[] = {
#embed "Common/amx.clh" suffix(, 0)
};
static const char attentionScores[] = {
#embed "Common/attention_scores.clh" suffix(, 0)
};
static const char attentionTile[] = {
#embed "Common/attention_tile.clh" suffix(, 0)
};
static const char automaton[] = {
#embed "Common/automaton.clh" suffix(, 0)
};
static const char bfloat16[] = {
#embed "Common/bfloat16.clh" suffix(, 0)
};
static const char categorical[] = {
#embed "Common/categorical.clh" suffix(, 0)
};
static const char headBlocks[] = {
#embed "Common/head_blocks.clh" suffix(, 0)
};
static const char lanes[] = {
#embed "Common/lanes.clh" suffix(, 0)
};
static const char normRow[] = {
#embed "Common/norm_row.clh" suffix(, 0)
};
static const char pairWeights[] = {
#embed "Common/pair_weights.clh" suffix(, 0)
};
static const char panels[] = {
#embed "Common/panels.clh" suffix(, 0)
};
static const char philox[] = {
#embed "Common/philox.clh" suffix(, 0)
};
static const char prelude[] = {
#embed "Common/prelude.clh" suffix(, 0)
};
static const char productRow[] = {
#embed "Common/product_row.clh" suffix(, 0)
};
static const char rotary[] = {
#embed "Common/rotary.clh" suffix(, 0)
};
static const char stateTile[] = {
#embed "Common/state_tile.clh" suffix(, 0)
};
static const char transpose[] = {
#embed "Common/transpose.clh" suffix(, 0)
};
static const char vectorMath[] = {
#embed "Common/vector_math.clh" suffix(, 0)
};
static const char wideFloat[] = {
#embed "Common/wide_float.clh" suffix(, 0)
};
static const char attentionAmx[] = {
#embed "Attention/attention_amx.cl" suffix(, 0)
};
static const char attentionBackwardNaive[] = {
#embed "Attention/attention_backward_naive.cl" suffix(, 0)
};
static const char attentionBackwardPanels[] = {
#embed "Attention/attention_backward_panels.cl" suffix(, 0)
};
static const char attentionBackwardTiles[] = {
#embed "Attention/attention_backward_tiles.cl" suffix(, 0)
};
static const char attentionNaive[] = {
#embed "Attention/attention_naive.cl" suffix(, 0)
};
static const char attentionPanels[] = {
#embed "Attention/attention_panels.cl" suffix(, 0)
};
static const char attentionPanelsBf16[] = {
#embed "Attention/attention_panels_bf16.cl" suffix(, 0)
};
static const char attentionTiles[] = {
#embed "Attention/attention_tiles.cl" suffix(, 0)
};
static const char causalConvolution[] = {
#embed "Convolution/causal_convolution.cl" suffix(, 0)
};
static const char causalConvolutionBackward[] = {
#embed "Convolution/causal_convolution_backward.cl" suffix(, 0)
};
static const char activationBackward[] = {
#embed "Matmul/activation_backward.cl" suffix(, 0)
};
static const char linearBackwardNaive[] = {
#embed "Matmul/linear_backward_naive.cl" suffix(, 0)
};
static const char linearEpilogue[] = {
#embed "Matmul/linear_epilogue.cl" suffix(, 0)
};
static const char matmulAmx[] = {
#embed "Matmul/matmul_amx.cl" suffix(, 0)
};
static const char matmulNaive[] = {
#embed "Matmul/matmul_naive.cl" suffix(, 0)
};
static const char matmulPanels[] = {
#embed "Matmul/matmul_panels.cl" suffix(, 0)
};
static const char packPairs[] = {
#embed "Matmul/pack_pairs.cl" suffix(, 0)
};
static const char packPanels[] = {
#embed "Matmul/pack_panels.cl" suffix(, 0)
};
static const char roundRows[] = {
#embed "Matmul/round_rows.cl" suffix(, 0)
};
static const char binomialStep[] = {
#embed "Noise/binomial_step.cl" suffix(, 0)
};
static const char cellDraw[] = {
#embed "Noise/cell_draw.cl" suffix(, 0)
};
static const char corrupt[] = {
#embed "Noise/corrupt.cl" suffix(, 0)
};
static const char grammarDraw[] = {
#embed "Noise/grammar_draw.cl" suffix(, 0)
};
static const char grammarMessages[] = {
#embed "Noise/grammar_messages.cl" suffix(, 0)
};
static const char grammarPath[] = {
#embed "Noise/grammar_path.cl" suffix(, 0)
};
static const char reveal[] = {
#embed "Noise/reveal.cl" suffix(, 0)
};
static const char tokenDraw[] = {
#embed "Noise/token_draw.cl" suffix(, 0)
};
static const char layerNorm[] = {
#embed "Norm/layer_norm.cl" suffix(, 0)
};
static const char layerNormBackward[] = {
#embed "Norm/layer_norm_backward.cl" suffix(, 0)
};
static const char activate[] = {
#embed "Pointwise/activate.cl" suffix(, 0)
};
static const char copyRows[] = {
#embed "Pointwise/copy_rows.cl" suffix(, 0)
};
static const char embedding[] = {
#embed "Pointwise/embedding.cl" suffix(, 0)
};
static const char embeddingBackward[] = {
#embed "Pointwise/embedding_backward.cl" suffix(, 0)
};
static const char sumRows[] = {
#embed "Pointwise/sum_rows.cl" suffix(, 0)
};
static const char selectiveScanBackward[] = {
#embed "Scan/selective_scan_backward.cl" suffix(, 0)
};
static const char selectiveScanNaive[] = {
#embed "Scan/selective_scan_naive.cl" suffix(, 0)
};
static const char selectiveScanParallel[] = {
#embed "Scan/selective_scan_parallel.cl" suffix(, 0)
};
static const char selectiveScanSerial[] = {
#embed "Scan/selective_scan_serial.cl" suffix(, 0)
};
static const char adamw[] = {
#embed "Training/adamw.cl" suffix(, 0)
};
static const char binaryCrossEntropy[] = {
#embed "Training/binary_cross_entropy.cl" suffix(, 0)
};
static const char crossEntropy[] = {
#embed "Training/cross_entropy.cl" suffix(, 0)
};
static const char normSquares[] = {
#embed "Training/norm_squares.cl" suffix(, 0)
};
static const char sumValues[] = {
#embed "Training/sum_values.cl" suffix(, 0)
};

static const CKernelFile files[] = {
    {"Common/activation.clh", activation},
    {"Common/amx.clh", amx},
    {"Common/attention_scores.clh", attentionScores},
    {"Common/attention_tile.clh", attentionTile},
    {"Common/automaton.clh", automaton},
    {"Common/bfloat16.clh", bfloat16},
    {"Common/categorical.clh", categorical},
    {"Common/head_blocks.clh", headBlocks},
    {"Common/lanes.clh", lanes},
    {"Common/norm_row.clh", normRow},
    {"Common/pair_weights.clh", pairWeights},
    {"Common/panels.clh", panels},
    {"Common/philox.clh", philox},
    {"Common/prelude.clh", prelude},
    {"Common/product_row.clh", productRow},
    {"Common/rotary.clh", rotary},
    {"Common/state_tile.clh", stateTile},
    {"Common/transpose.clh", transpose},
    {"Common/vector_math.clh", vectorMath},
    {"Common/wide_float.clh", wideFloat},
    {"Attention/attention_amx.cl", attentionAmx},
    {"Attention/attention_backward_naive.cl", attentionBackwardNaive},
    {"Attention/attention_backward_panels.cl", attentionBackwardPanels},
    {"Attention/attention_backward_tiles.cl", attentionBackwardTiles},
    {"Attention/attention_naive.cl", attentionNaive},
    {"Attention/attention_panels.cl", attentionPanels},
    {"Attention/attention_panels_bf16.cl", attentionPanelsBf16},
    {"Attention/attention_tiles.cl", attentionTiles},
    {"Convolution/causal_convolution.cl", causalConvolution},
    {"Convolution/causal_convolution_backward.cl", causalConvolutionBackward},
    {"Matmul/activation_backward.cl", activationBackward},
    {"Matmul/linear_backward_naive.cl", linearBackwardNaive},
    {"Matmul/linear_epilogue.cl", linearEpilogue},
    {"Matmul/matmul_amx.cl", matmulAmx},
    {"Matmul/matmul_naive.cl", matmulNaive},
    {"Matmul/matmul_panels.cl", matmulPanels},
    {"Matmul/pack_pairs.cl", packPairs},
    {"Matmul/pack_panels.cl", packPanels},
    {"Matmul/round_rows.cl", roundRows},
    {"Noise/binomial_step.cl", binomialStep},
    {"Noise/cell_draw.cl", cellDraw},
    {"Noise/corrupt.cl", corrupt},
    {"Noise/grammar_draw.cl", grammarDraw},
    {"Noise/grammar_messages.cl", grammarMessages},
    {"Noise/grammar_path.cl", grammarPath},
    {"Noise/reveal.cl", reveal},
    {"Noise/token_draw.cl", tokenDraw},
    {"Norm/layer_norm.cl", layerNorm},
    {"Norm/layer_norm_backward.cl", layerNormBackward},
    {"Pointwise/activate.cl", activate},
    {"Pointwise/copy_rows.cl", copyRows},
    {"Pointwise/embedding.cl", embedding},
    {"Pointwise/embedding_backward.cl", embeddingBackward},
    {"Pointwise/sum_rows.cl", sumRows},
    {"Scan/selective_scan_backward.cl", selectiveScanBackward},
    {"Scan/selective_scan_naive.cl", selectiveScanNaive},
    {"Scan/selective_scan_parallel.cl", selectiveScanParallel},
    {"Scan/selective_scan_serial.cl", selectiveScanSerial},
    {"Training/adamw.cl", adamw},
    {"Training/binary_cross_entropy.cl", binaryCrossEntropy},
    {"Training/cross_entropy.cl", crossEntropy},
    {"Training/norm_squares.cl", normSquares},
    {"Training/sum_values.cl", sumValues},
};

const CKernelFile *ckernels_file(const char *base_name) {
    for (int i = 0; i < (int)(sizeof files / sizeof *files); i++) {
        const char *slash = strrchr(files[i].name, '/');
        if (strcmp(slash == NULL ? files[i].name : slash + 1, base_name) == 0) return &files[i];
    }
    return NULL;
}
