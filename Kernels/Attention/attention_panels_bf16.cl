// attention_panels with bfloat16 factors in both products and float32 everything else, for CPU devices with
// AVX512-BF16: q, k and v are rounded after the rotation, the weights exp(score - peak) after the exponential; sums,
// peaks and the softmax's denominator, which adds the unrounded weights, are float32.
//
// Mapping, scratch and LSE are those of attention_panels. What differs is the layout: factors are pairs (bfloat16.clh),
// and a sum may take its terms in any fixed order, so each pair is one that lies in two registers already:
//   features i and i + d / 2 of q and k, which the rotation makes together,
//   positions i and i + 16 of every 32, for the weights and v.
//   keys [B, heads, ceil(S / 32), d / 2, 32]   values [B, heads, ceil(d / 32), ceil(S / 32), 16, 32]   both uint
// Positions past the end have weight 0 and value 0.
//
// With RESULT_BFLOAT16 y is written rounded.
// Preconditions: LANES 16, BFLOAT16; d even, d <= 32 * HEAD_PANELS; S >= 1; work-groups of one work-item.
#define HEAD_PAIRS (HEAD_WIDTH / 2)
#define HALF_PANEL (PANEL / 2)
#define KEY_PAIRS (KEYS / 2)

// A rounded pair of scalars.
static inline uint pair_of(float first, float second) { return bfloat16_pairs(first, second).s0; }

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_pack(global const float *qkv, global const float *rotation, global uint *keys, global uint *values,
                    int sequence, int heads, int width) {
    const int panel = get_group_id(0), head = get_group_id(1), b = get_group_id(2);
    const int model = heads * width, pairs = width / 2;
    const int first = panel * PANEL, count = min(PANEL, sequence - first);
    const int panels = ceil_div(sequence, PANEL), value_panels = ceil_div(width, PANEL);
    const size_t plane = (size_t)b * heads + head;
    keys += (plane * panels + panel) * pairs * PANEL;
    values += plane * value_panels * panels * HALF_PANEL * PANEL;

    float rotated[PANEL][HEAD_WIDTH];
    for (int j = 0; j < PANEL; ++j) {
        // Keys past the end repeat the last one; their scores are masked.
        const int s = first + min(j, count - 1);
        global const float *key = qkv + ((size_t)b * sequence + s) * 3 * model + model + head * width;
        turn_pairs(key, rotation + (size_t)s * width, pairs, 1.0f, rotated[j]);
    }
    for (int i = 0; i < pairs; ++i) {
        float front[PANEL], back[PANEL];
#pragma unroll
        for (int j = 0; j < PANEL; ++j) {
            front[j] = rotated[j][i];
            back[j] = rotated[j][i + pairs];
        }
        store16(bfloat16_pairs(vload16(0, front), vload16(0, back)), 0, keys + i * PANEL);
        store16(bfloat16_pairs(vload16(1, front), vload16(1, back)), 1, keys + i * PANEL);
    }
    for (int i = 0; i < HALF_PANEL; ++i) {
        global const float *early = qkv + ((size_t)b * sequence + first + i) * 3 * model + 2 * model + head * width;
        global const float *late = early + (size_t)HALF_PANEL * 3 * model;
        for (int column = 0; column < width; column += 16) {
            const float16 x = i < count ? load_lanes(early + column, width - column) : (float16)0.0f;
            const float16 y = i + HALF_PANEL < count ? load_lanes(late + column, width - column) : (float16)0.0f;
            global uint *target = values + ((size_t)(column / PANEL) * panels + panel) * HALF_PANEL * PANEL + i * PANEL;
            store16(bfloat16_pairs(x, y), 0, target + column % PANEL);
        }
        if (width % PANEL > 0 && width % PANEL <= 16)
            store16((uint16)0u, 1,
                    values + ((size_t)(value_panels - 1) * panels + panel) * HALF_PANEL * PANEL + i * PANEL);
    }
}

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_panels_bf16(global const float *qkv, global const float *rotation,
                           global const uint *keys, global const uint *values,
                           global result *y, global float *lse,
                           int sequence, int heads, int width, int rows) {
    const int head = get_group_id(1), b = get_group_id(2);
    const int model = heads * width, pairs = width / 2;
    const size_t plane = (size_t)b * heads + head;
    const int panels = ceil_div(sequence, PANEL), value_panels = ceil_div(width, PANEL);
    const int first = get_group_id(0) * rows;
    const int tiles = ceil_div(min(rows, sequence - first), TILE_ROWS);
    keys += plane * panels * pairs * PANEL;
    values += plane * value_panels * panels * HALF_PANEL * PANEL;

    uint queries[MAX_TILES][TILE_ROWS * HEAD_PAIRS], weights[TILE_ROWS * KEY_PAIRS];
    float outputs[MAX_TILES][TILE_ROWS * HEAD_WIDTH];
    float peak[MAX_TILES][TILE_ROWS], total[MAX_TILES][TILE_ROWS];
    float scores[TILE_ROWS * KEYS];

    for (int row = 0; row < tiles * TILE_ROWS; ++row) {
        // Queries past the end repeat the last one and are not written.
        const int s = min(first + row, sequence - 1);
        global const float *query = qkv + ((size_t)b * sequence + s) * 3 * model + head * width;
        float turned[HEAD_WIDTH];
        turn_pairs(query, rotation + (size_t)s * width, pairs, 1.0f, turned);
        for (int i = 0; i < pairs; ++i) queries[0][row * HEAD_PAIRS + i] = pair_of(turned[i], turned[i + pairs]);
        for (int i = 0; i < HEAD_WIDTH; ++i) outputs[0][row * HEAD_WIDTH + i] = 0.0f;
        peak[0][row] = -INFINITY;
        total[0][row] = 0.0f;
    }

    // Applied to the scores: in the queries it would move their rounding.
    const float scale = LOG2E / sqrt((float)width);
    for (int block = 0; block < sequence; block += KEYS) {
        const int count = min(KEYS, sequence - block);
        for (int tile = 0; tile < tiles; ++tile) {
            float decay[TILE_ROWS];
            for (int r = 0; r < TILE_ROWS; ++r) decay[r] = peak[tile][r];
            score_keys(
                queries[tile], HEAD_PAIRS, keys + (size_t)block / 2 * width, pairs, count, scores, peak[tile]);
            for (int r = 0; r < TILE_ROWS; ++r) {
                // A row of nothing but -inf so far keeps weight 0 instead of exp2(-inf + inf).
                const float reference = peak[tile][r] == -INFINITY ? 0.0f : peak[tile][r];
                decay[r] = exp2((decay[r] - reference) * scale);
                total[tile][r] = total[tile][r] * decay[r]
                    + weigh_scores(scores + r * KEYS, count, reference, scale, weights + r * KEY_PAIRS);
            }
            const size_t value_panel = (size_t)panels * HALF_PANEL * PANEL;
            for (int p = 0; p < value_panels; p += 2) {
                float *output = outputs[tile] + p * PANEL;
                Tile sum = load_tile(output, HEAD_WIDTH, HEAD_VECTORS);
                scale_tile(&sum, decay);
                add_product(&sum, HEAD_VECTORS, weights, KEY_PAIRS, values + p * value_panel + block / 2 * PANEL,
                            p + 1 < value_panels ? value_panel : 0, ceil_div(count, PANEL) * HALF_PANEL);
                store_tile(&sum, HEAD_VECTORS, output, HEAD_WIDTH);
            }
        }
    }

    for (int row = 0; row < min(rows, sequence - first); ++row) {
        const float *output = outputs[0] + row * HEAD_WIDTH;
        global result *target = y + ((size_t)b * sequence + first + row) * model + head * width;
        for (int i = 0; i < width; i += 16)
            store_result(vload16(0, output + i) / total[0][row], target + i, width - i);
#ifdef LSE
        lse[plane * sequence + first + row] = (peak[0][row] * scale + log2(total[0][row])) * LN2;
#endif
    }
}
