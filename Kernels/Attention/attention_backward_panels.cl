// dqkv from dy for CPU devices: the backward pass of attention_panels, which saved lse. d = D / heads.
//
//   p = exp(s - lse)   delta = sum of dy y   ds = p (dy v^T - delta)
//   dq = ds k / sqrt(d)   dk = ds^T q / sqrt(d)   dv = p^T dy
//
// with dq and dk turned back by the rotary angles. The probabilities are made anew, twice: a work-item that owns
// queries sums over keys, one that owns keys sums over queries, so no sum is shared and each has one order, which
// depends on S and d alone. No S x S matrix, no local memory.
//
// attention_backward_pack: work-group (p, head, b), one work-item, owns 32 positions and writes four matrices of them
// as panels turned by 90 degrees, d + 1 deep: (q, -lse), (k, 1), (v, 1), (dy, -delta), the first scaled by log2 e and
// q by 1 / sqrt(d) besides. The last place makes the subtractions a part of the product. q, k and dy are also written
// row by row. Per (b, head), `packed` holds
//   4 x [ceil(S / 32), d + 1, 32], then 3 x [ceil(d / 32), S, 32].
// attention_backward_queries, attention_backward_keys: work-group (ceil(S / rows), heads, B), one work-item, owns
// `rows` positions, a multiple of TILE_ROWS up to MAX_TILES of them, and writes their dq, or their dk and dv.
//
// Preconditions: d even, d <= 32 * HEAD_PANELS; S >= 1; rotation is the table of rotary.clh. The two kernels together
// write all of dqkv.
// Beside attention_backward_naive: exp2 by polynomial, the other positions taken 256 at a time.
#define DEPTH (HEAD_WIDTH + 1)
#define BLOCK 256

// The four turned matrices, and the three in rows, of one (b, head).
enum { TURNED_QUERIES, TURNED_KEYS, TURNED_VALUES, TURNED_SLOPES };
enum { QUERY_ROWS, KEY_ROWS, SLOPE_ROWS };

static inline size_t turned_size(int sequence, int width) {
    return (size_t)ceil_div(sequence, PANEL) * (width + 1) * PANEL;
}

static inline size_t rows_size(int sequence, int width) { return (size_t)ceil_div(width, PANEL) * sequence * PANEL; }

static inline size_t plane_start(int b, int head, int heads, int sequence, int width) {
    return ((size_t)b * heads + head) * (4 * turned_size(sequence, width) + 3 * rows_size(sequence, width));
}

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_backward_pack(global const float *qkv, global const float *rotation, global const float *y,
                             global const float *dy, global const float *lse, global float *packed,
                             int sequence, int heads, int width) {
    const int panel = get_group_id(0), head = get_group_id(1), b = get_group_id(2);
    const int model = heads * width, first = panel * PANEL, count = min(PANEL, sequence - first);
    const size_t turned = turned_size(sequence, width);
    packed += plane_start(b, head, heads, sequence, width);

    float rows[4][PANEL][DEPTH];
    for (int j = 0; j < PANEL; ++j) {
        // Positions past the end repeat the last one; no sum takes them in.
        const int s = first + min(j, count - 1);
        const size_t position = (size_t)b * sequence + s;
        global const float *query = qkv + position * 3 * model + head * width;
        global const float *turn = rotation + (size_t)s * width;
        turn_pairs(query, turn, width / 2, LOG2E / sqrt((float)width), rows[TURNED_QUERIES][j]);
        turn_pairs(query + model, turn, width / 2, 1.0f, rows[TURNED_KEYS][j]);
        float delta = 0.0f;
        for (int i = 0; i < width; ++i) {
            const float slope = dy[position * model + head * width + i];
            rows[TURNED_VALUES][j][i] = query[2 * model + i];
            rows[TURNED_SLOPES][j][i] = slope;
            delta += slope * y[position * model + head * width + i];
        }
        for (int m = 0; m < 4; ++m)
            for (int i = width; i < DEPTH; ++i) rows[m][j][i] = 0.0f;
        rows[TURNED_QUERIES][j][width] = -LOG2E * lse[((size_t)b * heads + head) * sequence + s];
        rows[TURNED_KEYS][j][width] = rows[TURNED_VALUES][j][width] = 1.0f;
        rows[TURNED_SLOPES][j][width] = -delta;
    }

    for (int m = 0; m < 4; ++m)
        for (int i = 0; i <= width; ++i) {
            float column[PANEL];
#pragma unroll
            for (int j = 0; j < PANEL; ++j) column[j] = rows[m][j][i];
            global float *target = packed + m * turned + ((size_t)panel * (width + 1) + i) * PANEL;
            store16(vload16(0, column), 0, target);
            store16(vload16(1, column), 1, target);
        }
    const int source[3] = {TURNED_QUERIES, TURNED_KEYS, TURNED_SLOPES};
    for (int m = 0; m < 3; ++m)
        for (int p = 0; p < ceil_div(width, PANEL); ++p)
            for (int j = 0; j < count; ++j) {
                global float *target = packed + 4 * turned + m * rows_size(sequence, width) +
                                       ((size_t)p * sequence + first + j) * PANEL;
                store16(vload16(0, rows[source[m]][j] + p * PANEL), 0, target);
                store16(vload16(1, rows[source[m]][j] + p * PANEL), 1, target);
            }
}

// `count` rows from position `first` on out of a turned matrix; positions past the end repeat the last one.
static inline void load_rows(global const float *turned, int first, int count, int sequence, int width, float *rows) {
    for (int row = 0; row < count; ++row) {
        const int s = min(first + row, sequence - 1);
        global const float *column = turned + (size_t)(s / PANEL) * (width + 1) * PANEL + s % PANEL;
        for (int i = 0; i <= width; ++i) rows[row * DEPTH + i] = column[i * PANEL];
    }
}

// For a tile of own positions and `count` others: weights = p, slopes = ds, both [TILE_ROWS][BLOCK], unspecified past
// the others. `scores` and `values` are the turned matrices of the others from the block's start on, `own_scores` and
// `own_values` the rows that they meet.
static inline void weigh(const float *own_scores, const float *own_values, global const float *scores,
                         global const float *values, int width, int count, float *weights, float *slopes) {
    const int depth = width + 1;
    for (int other = 0; other < count; other += SPAN, scores += depth * SPAN, values += depth * SPAN) {
        const size_t next = count - other > PANEL ? depth * PANEL : 0;
        Tile score = empty_tile(), slope = empty_tile();
        add_product(&score, TILE_VECTORS, own_scores, DEPTH, scores, next, depth);
#pragma unroll
        for (int r = 0; r < TILE_ROWS; ++r)
#pragma unroll
            for (int v = 0; v < TILE_VECTORS; ++v)
                store16(exp2_nonpositive(score.at[r][v]), v, weights + r * BLOCK + other);
        add_product(&slope, TILE_VECTORS, own_values, DEPTH, values, next, depth);
#pragma unroll
        for (int r = 0; r < TILE_ROWS; ++r)
#pragma unroll
            for (int v = 0; v < TILE_VECTORS; ++v)
                store16(slope.at[r][v] * vload16(v, weights + r * BLOCK + other), v, slopes + r * BLOCK + other);
    }
}

// sums [TILE_ROWS][HEAD_WIDTH] += coefficients [TILE_ROWS][BLOCK] * rows, `count` of them from `start` on.
static inline void accumulate(float *sums, const float *coefficients, global const float *rows, int sequence, int width,
                              int start, int count) {
    const int panels = ceil_div(width, PANEL);
    for (int p = 0; p < panels; p += 2) {
        Tile tile = load_tile(sums + p * PANEL, HEAD_WIDTH, HEAD_VECTORS);
        add_product(&tile, HEAD_VECTORS, coefficients, BLOCK, rows + ((size_t)p * sequence + start) * PANEL,
                    p + 1 < panels ? (size_t)sequence * PANEL : 0, count);
        store_tile(&tile, HEAD_VECTORS, sums + p * PANEL, HEAD_WIDTH);
    }
}

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_backward_queries(global const float *packed, global const float *rotation, global float *dqkv,
                                int sequence, int heads, int width, int rows) {
    const int first = get_group_id(0) * rows, head = get_group_id(1), b = get_group_id(2);
    const int count = min(rows, sequence - first), tiles = ceil_div(count, TILE_ROWS), model = heads * width;
    const size_t turned = turned_size(sequence, width);
    packed += plane_start(b, head, heads, sequence, width);
    global const float *key_rows = packed + 4 * turned + KEY_ROWS * rows_size(sequence, width);

    float queries[MAX_TILES * TILE_ROWS * DEPTH], slopes[MAX_TILES * TILE_ROWS * DEPTH];
    float gradient[MAX_TILES * TILE_ROWS * HEAD_WIDTH], weights[TILE_ROWS * BLOCK], score_slopes[TILE_ROWS * BLOCK];
    load_rows(packed + TURNED_QUERIES * turned, first, tiles * TILE_ROWS, sequence, width, queries);
    load_rows(packed + TURNED_SLOPES * turned, first, tiles * TILE_ROWS, sequence, width, slopes);
    for (int i = 0; i < tiles * TILE_ROWS * HEAD_WIDTH; ++i) gradient[i] = 0.0f;

    for (int start = 0; start < sequence; start += BLOCK) {
        const int others = min(BLOCK, sequence - start);
        const size_t panel = (size_t)start * (width + 1);
        for (int row = 0; row < tiles * TILE_ROWS; row += TILE_ROWS) {
            weigh(queries + row * DEPTH, slopes + row * DEPTH, packed + TURNED_KEYS * turned + panel,
                  packed + TURNED_VALUES * turned + panel, width, others, weights, score_slopes);
            accumulate(gradient + row * HEAD_WIDTH, score_slopes, key_rows, sequence, width, start, others);
        }
    }

    const float scale = 1.0f / sqrt((float)width);
    for (int row = 0; row < count; ++row) {
        const int s = first + row;
        turn_pairs_back(gradient + row * HEAD_WIDTH, rotation + (size_t)s * width, width / 2, scale,
                        dqkv + ((size_t)b * sequence + s) * 3 * model + head * width);
    }
}

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_backward_keys(global const float *packed, global const float *rotation, global float *dqkv,
                             int sequence, int heads, int width, int rows) {
    const int first = get_group_id(0) * rows, head = get_group_id(1), b = get_group_id(2);
    const int count = min(rows, sequence - first), tiles = ceil_div(count, TILE_ROWS), model = heads * width;
    const size_t turned = turned_size(sequence, width);
    packed += plane_start(b, head, heads, sequence, width);
    global const float *query_rows = packed + 4 * turned + QUERY_ROWS * rows_size(sequence, width);
    global const float *slope_rows = packed + 4 * turned + SLOPE_ROWS * rows_size(sequence, width);

    float keys[MAX_TILES * TILE_ROWS * DEPTH], values[MAX_TILES * TILE_ROWS * DEPTH];
    float key_gradient[MAX_TILES * TILE_ROWS * HEAD_WIDTH], value_gradient[MAX_TILES * TILE_ROWS * HEAD_WIDTH];
    float weights[TILE_ROWS * BLOCK], score_slopes[TILE_ROWS * BLOCK];
    load_rows(packed + TURNED_KEYS * turned, first, tiles * TILE_ROWS, sequence, width, keys);
    load_rows(packed + TURNED_VALUES * turned, first, tiles * TILE_ROWS, sequence, width, values);
    for (int i = 0; i < tiles * TILE_ROWS * HEAD_WIDTH; ++i) key_gradient[i] = value_gradient[i] = 0.0f;

    for (int start = 0; start < sequence; start += BLOCK) {
        const int others = min(BLOCK, sequence - start);
        const size_t panel = (size_t)start * (width + 1);
        for (int row = 0; row < tiles * TILE_ROWS; row += TILE_ROWS) {
            weigh(keys + row * DEPTH, values + row * DEPTH, packed + TURNED_QUERIES * turned + panel,
                  packed + TURNED_SLOPES * turned + panel, width, others, weights, score_slopes);
            accumulate(value_gradient + row * HEAD_WIDTH, weights, slope_rows, sequence, width, start, others);
            accumulate(key_gradient + row * HEAD_WIDTH, score_slopes, query_rows, sequence, width, start, others);
        }
    }

    for (int row = 0; row < count; ++row) {
        const int s = first + row;
        global float *target = dqkv + ((size_t)b * sequence + s) * 3 * model + model + head * width;
        // The queries carry log2 e / sqrt(d); ln 2 leaves 1 / sqrt(d).
        turn_pairs_back(key_gradient + row * HEAD_WIDTH, rotation + (size_t)s * width, width / 2, LN2, target);
        for (int i = 0; i < width; i += 16)
            store_lanes(vload16(0, value_gradient + row * HEAD_WIDTH + i), target + model + i, width - i);
    }
}
