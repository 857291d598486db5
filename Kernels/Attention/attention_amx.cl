// attention_panels_bf16 by matrix tiles (amx.clh): 32 queries of a head against blocks of its keys.
//
// The same factors are rounded, and keys and values lie as its attention_pack leaves them; sums run in another order.
// Work-group (q, head, b) of one work-item owns queries 32 q ... of one head. No local memory; the scores of a block of
// keys and the rounded weights lie on its stack.
//
// With RESULT_BFLOAT16 y is written rounded, with LSE the log-sum-exp of each row as well.
// Preconditions: LANES 16; d a multiple of 32, d <= 32 * HEAD_PANELS; S >= 1.
#define HEAD_WIDTH (HEAD_PANELS * PANEL)
#define HEAD_PAIRS (HEAD_WIDTH / 2)
#define KEYS 256
#define KEY_PAIRS (KEYS / 2)

// scores[32][KEYS] = queries against `count` keys from `panel` on, up to a whole panel.
static inline void score_block(const uint *queries, global const uint *panel, int pairs, int count, float *scores) {
    for (int key = 0; key < count; key += PANEL, panel += pairs * PANEL) {
        clear_block();
        for (int i = 0; i < pairs; i += BLOCK_PAIRS)
            multiply_block((ulong)(queries + i), 4 * HEAD_PAIRS, (ulong)(panel + i * PANEL));
        store_block(scores + key, 4 * KEYS);
    }
}

// The largest of a row's first `count` scores; those after them, up to a whole panel, become -inf.
static inline float row_peak(float *scores, int count) {
    for (int key = count; key % PANEL != 0; ++key) scores[key] = -INFINITY;
    float16 top = -INFINITY;
    for (int key = 0; key < count; key += 16) {
        const float16 x = vload16(0, scores + key);
        top = x > top ? x : top;
    }
    return max_lanes(top);
}

// outputs[32][width] += weights[32][count] times the values from `panel` on; `stride` from 32 columns to the next.
static inline void add_values(float *outputs, const uint *weights, global const uint *panel, size_t stride, int count,
                              int width) {
    for (int column = 0; column < width; column += PANEL, panel += stride) {
        load_block(outputs + column, 4 * HEAD_WIDTH);
        for (int i = 0; i < ceil_div(count, PANEL) * BLOCK_PAIRS; i += BLOCK_PAIRS)
            multiply_block((ulong)(weights + i), 4 * KEY_PAIRS, (ulong)(panel + i * PANEL));
        store_block(outputs + column, 4 * HEAD_WIDTH);
    }
}

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_amx(global const float *qkv, global const float *rotation,
                   global const uint *keys, global const uint *values,
                   global result *y, global float *lse,
                   int sequence, int heads, int width) {
    const int head = get_group_id(1), b = get_group_id(2);
    const int model = heads * width, pairs = width / 2;
    const size_t plane = (size_t)b * heads + head;
    const int panels = ceil_div(sequence, PANEL);
    const int first = get_group_id(0) * BLOCK_ROWS;
    keys += plane * panels * pairs * PANEL;
    values += plane * (width / PANEL) * panels * BLOCK_PAIRS * PANEL;

    uint queries[BLOCK_ROWS * HEAD_PAIRS] __attribute__((aligned(64)));
    uint weights[BLOCK_ROWS * KEY_PAIRS] __attribute__((aligned(64)));
    float scores[BLOCK_ROWS * KEYS] __attribute__((aligned(64)));
    float outputs[BLOCK_ROWS * HEAD_WIDTH] __attribute__((aligned(64)));
    float peak[BLOCK_ROWS], total[BLOCK_ROWS];

    for (int r = 0; r < BLOCK_ROWS; ++r) {
        // Queries past the end repeat the last one and are not written.
        const int s = min(first + r, sequence - 1);
        global const float *query = qkv + ((size_t)b * sequence + s) * 3 * model + head * width;
        float turned[HEAD_WIDTH];
        turn_pairs(query, rotation + (size_t)s * width, pairs, 1.0f, turned);
        for (int i = 0; i < pairs; i += 16)
            store16(bfloat16_pairs(vload16(0, turned + i), vload16(0, turned + pairs + i)), 0,
                    queries + r * HEAD_PAIRS + i);
        for (int i = 0; i < HEAD_WIDTH; ++i) outputs[r * HEAD_WIDTH + i] = 0.0f;
        peak[r] = -INFINITY;
        total[r] = 0.0f;
    }

    open_tiles();
    // Applied to the scores: in the queries it would move their rounding.
    const float scale = LOG2E / sqrt((float)width);
    for (int block = 0; block < sequence; block += KEYS) {
        const int count = min(KEYS, sequence - block);
        score_block(queries, keys + (size_t)block * pairs, pairs, count, scores);
        for (int r = 0; r < BLOCK_ROWS; ++r) {
            const float old = peak[r];
            peak[r] = fmax(old, row_peak(scores + r * KEYS, count));
            // A row of nothing but -inf so far keeps weight 0 instead of exp2(-inf + inf).
            const float reference = peak[r] == -INFINITY ? 0.0f : peak[r];
            const float decay = exp2((old - reference) * scale);
            total[r] = total[r] * decay
                + weigh_scores(scores + r * KEYS, count, reference, scale, weights + r * KEY_PAIRS);
            for (int i = 0; i < width; i += 16)
                store16(vload16(0, outputs + r * HEAD_WIDTH + i) * decay, 0, outputs + r * HEAD_WIDTH + i);
        }
        add_values(outputs, weights, values + (size_t)block / 2 * PANEL, (size_t)panels * BLOCK_PAIRS * PANEL, count,
                   width);
    }
    close_tiles();

    for (int r = 0; r < min(BLOCK_ROWS, sequence - first); ++r) {
        global result *target = y + ((size_t)b * sequence + first + r) * model + head * width;
        for (int i = 0; i < width; i += 16)
            store_result(vload16(0, outputs + r * HEAD_WIDTH + i) / total[r], target + i, 16);
#ifdef LSE
        lse[plane * sequence + first + r] = (peak[r] * scale + log2(total[r])) * LN2;
#endif
    }
}
