// y = softmax(rotary(q) rotary(k)^T / sqrt(d)) v for CPU devices, unmasked; qkv [B, S, 3 D], y [B, S, D],
// d = D / heads.
//
// attention_pack: work-group (p, head, b), one work-item, owns 32 positions: their rotated keys as panel p, d x 32,
// and their values as rows of ceil(d / 32) panels:
//   keys [B, heads, ceil(S / 32), d, 32]   values [B, heads, ceil(d / 32), S, 32]
//
// attention_panels: work-group (ceil(S / rows), heads, B), one work-item, owns `rows` queries of one head, a
// multiple of TILE_ROWS up to MAX_TILES of them. Per block of KEYS keys and per tile of queries: scores (log2 e folded
// into q) in a private array, their maximum, exp2 in place, then the product with the values by the same register tile;
// across blocks the softmax is rescaled online.
// No local memory. The order of every sum depends on S and d alone. With LSE the natural log-sum-exp of each
// query's scores goes to lse [B, heads, S]; else that argument is unread.
//
// With ROUND_FACTORS q, k and v are widened bfloat16, q and k rounded after the rotation; the weights are not rounded. With
// RESULT_BFLOAT16 y is written rounded.
//
// Preconditions: d even, d <= 32 * HEAD_PANELS; S >= 1; rotation is the table of rotary.clh. NaN and infinities go
// where the formula takes them.
// Beside attention_naive: exp2 by polynomial, KEYS keys at a time instead of one by one.

// A head's turned features as the products take them, times a scale.
static inline void turn_factors(const global float *source, const global float *turn, int width, float scale,
                                float *target) {
#ifdef ROUND_FACTORS
    turn_pairs(source, turn, width / 2, 1.0f, target);
    for (int i = width; i < HEAD_WIDTH; ++i) target[i] = 0.0f;
    for (int i = 0; i < HEAD_WIDTH / 16; ++i) store16(widened(vload16(i, target)) * scale, i, target);
#else
    turn_pairs(source, turn, width / 2, scale, target);
#endif
}

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_pack(global const float *qkv, global const float *rotation, global float *keys, global float *values,
                    int sequence, int heads, int width) {
    const int panel = get_group_id(0), head = get_group_id(1), b = get_group_id(2);
    const int model = heads * width;
    const int first = panel * PANEL, count = min(PANEL, sequence - first);
    const size_t plane = (size_t)b * heads + head;
    const int value_panels = ceil_div(width, PANEL);
    keys += (plane * ceil_div(sequence, PANEL) + panel) * width * PANEL;
    values += plane * value_panels * sequence * PANEL;
    float rotated[PANEL][HEAD_WIDTH];
    for (int j = 0; j < PANEL; ++j) {
        // Positions past the end repeat the last one; their scores are masked, their values not written.
        const int s = first + min(j, count - 1);
        global const float *key = qkv + ((size_t)b * sequence + s) * 3 * model + model + head * width;
        turn_factors(key, rotation + (size_t)s * width, width, 1.0f, rotated[j]);
        if (j >= count) continue;
        global const float *value = key + model;
        for (int p = 0; p < value_panels; ++p) {
            global float *target = values + ((size_t)p * sequence + s) * PANEL;
            store16(as_factor(load_lanes(value + p * PANEL, width - p * PANEL)), 0, target);
            store16(as_factor(load_lanes(value + p * PANEL + 16, width - p * PANEL - 16)), 1, target);
        }
    }
    for (int i = 0; i < width; ++i) {
        float column[PANEL];
#pragma unroll
        for (int j = 0; j < PANEL; ++j) column[j] = rotated[j][i];
        store16(vload16(0, column), 0, keys + i * PANEL);
        store16(vload16(1, column), 1, keys + i * PANEL);
    }
}

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_panels(global const float *qkv, global const float *rotation,
                      global const float *keys, global const float *values,
                      global result *y, global float *lse,
                      int sequence, int heads, int width, int rows) {
    const int head = get_group_id(1), b = get_group_id(2);
    const int model = heads * width;
    const size_t plane = (size_t)b * heads + head;
    const int value_panels = ceil_div(width, PANEL);
    const int first = get_group_id(0) * rows;
    const int tiles = ceil_div(min(rows, sequence - first), TILE_ROWS);
    keys += plane * ceil_div(sequence, PANEL) * width * PANEL;
    values += plane * value_panels * sequence * PANEL;

    float queries[MAX_TILES][TILE_ROWS * HEAD_WIDTH], outputs[MAX_TILES][TILE_ROWS * HEAD_WIDTH];
    float peak[MAX_TILES][TILE_ROWS], total[MAX_TILES][TILE_ROWS];
    float scores[TILE_ROWS * KEYS];

    const float scale = LOG2E / sqrt((float)width);
    for (int row = 0; row < tiles * TILE_ROWS; ++row) {
        // Queries past the end repeat the last one and are not written.
        const int s = min(first + row, sequence - 1);
        global const float *query = qkv + ((size_t)b * sequence + s) * 3 * model + head * width;
        turn_factors(query, rotation + (size_t)s * width, width, scale, queries[0] + row * HEAD_WIDTH);
        for (int i = 0; i < HEAD_WIDTH; ++i) outputs[0][row * HEAD_WIDTH + i] = 0.0f;
        peak[0][row] = -INFINITY;
        total[0][row] = 0.0f;
    }

    for (int block = 0; block < sequence; block += KEYS) {
        const int count = min(KEYS, sequence - block);
        for (int tile = 0; tile < tiles; ++tile) {
            float decay[TILE_ROWS];
            for (int r = 0; r < TILE_ROWS; ++r) decay[r] = peak[tile][r];
            score_keys(
                queries[tile], HEAD_WIDTH, keys + (size_t)block * width, width, count, scores, peak[tile]);
            for (int r = 0; r < TILE_ROWS; ++r) {
                // A row of nothing but -inf so far keeps weight 0 instead of exp2(-inf + inf).
                const float reference = peak[tile][r] == -INFINITY ? 0.0f : peak[tile][r];
                float16 sum = 0.0f;
                for (int key = 0; key < count; key += 16) {
                    const float16 weight = exp2_nonpositive(vload16(0, scores + r * KEYS + key) - reference);
                    store16(weight, 0, scores + r * KEYS + key);
                    sum += weight;
                }
                decay[r] = exp2(decay[r] - reference);
                total[tile][r] = total[tile][r] * decay[r] + sum_lanes(sum);
            }
            for (int p = 0; p < value_panels; p += 2) {
                float *output = outputs[tile] + p * PANEL;
                Tile sum = load_tile(output, HEAD_WIDTH, HEAD_VECTORS);
                scale_tile(&sum, decay);
                add_product(&sum, HEAD_VECTORS, scores, KEYS, values + ((size_t)p * sequence + block) * PANEL,
                            p + 1 < value_panels ? (size_t)sequence * PANEL : 0, count);
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
        lse[plane * sequence + first + row] = (peak[0][row] + log2(total[0][row])) * LN2;
#endif
    }
}
