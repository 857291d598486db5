// dqkv from dy for GPUs, the backward pass of attention with its saved lse; y and dy [B, S, D], lse [B, heads, S].
//
//   p = exp(s - lse)   delta = sum of dy y   ds = p (dy v^T - delta)
//   dq = ds k / sqrt(d)   dk = ds^T q / sqrt(d)   dv = p^T dy
//
// with dq and dk turned back by the rotary angles. Work-group (ceil(S / 32), heads, B) of 16 x 8 work-items owns 32
// queries of one head, in the second kernel 32 keys, and takes the positions of the other side BLOCK_ROWS at a time in
// ascending order; head_blocks.clh says which work-item owns what. The first kernel leaves delta [B, heads, S] to the
// second. Neither result depends on BLOCK_ROWS.
// Local memory: of either side one matrix at a time, because all four would not fit, and p or ds of the block: 34 KB
// for HEAD_WIDTH 64 with BLOCK_ROWS 64, 38 KB for 128 with 32; with half the rows 22 and 28 KB. A group's own rows are
// therefore read again for every block, from a cache.
// Positions past the end are rows of zeros with weight and slope 0, whatever a NaN or an infinity would make of them.
//
// Preconditions: d even, d <= HEAD_WIDTH; the defines of head_blocks.clh; global size (16 ceil(S / 32), 8 heads, B),
// local size (16, 8, 1); rotation is the table of rotary.clh. The two kernels together write all of dqkv.
// Beside attention_backward_naive: BLOCK_ROWS positions at a time instead of one by one, delta once for each query.

// One head of one sample: where its rows begin in qkv and dqkv, in y and dy, and in lse and delta.
typedef struct {
    size_t projections, outputs, sums;
} Head;

static inline Head this_head(int sequence, int heads, int width) {
    const size_t sample = get_group_id(2), head = get_group_id(1), row = sample * sequence * heads * width;
    return (Head){3 * row + head * width, row + head * width, (sample * heads + head) * sequence};
}

// A work-item's products into its own places of [32, BLOCK_ROWS], where they take no registers until it needs them again.
tile_function void put_tile(float tile[ROWS][BLOCK_COLUMNS], local float *places) {
    places += get_local_id(1) * ROWS * WEIGHT_PITCH + get_local_id(0);
#pragma unroll
    for (int r = 0; r < ROWS; ++r)
#pragma unroll
        for (int j = 0; j < BLOCK_COLUMNS; ++j) places[r * WEIGHT_PITCH + SPAN * j] = tile[r][j];
}

// A group's rows of a result from the registers to local memory, where any work-item finds any column.
tile_function void share_rows(float4 sum[ROWS][OUTPUT_COLUMNS], local float *rows) {
    rows += get_local_id(1) * ROWS * PITCH + 4 * get_local_id(0);
#pragma unroll
    for (int r = 0; r < ROWS; ++r)
#pragma unroll
        for (int p = 0; p < OUTPUT_COLUMNS; ++p) *(local float4 *)(rows + r * PITCH + 64 * p) = sum[r][p];
}

// target = scale * rows turned back, `count` of them.
tile_function void store_turned_back(const local float *rows, const global float *rotation, int row_stride, int width,
                                     int count, float scale, global float *target) {
    const int half_width = width / 2;
    for (int top = 0; top < OWN_ROWS; top += GROUP_ROWS)
        for (int left = 0; left < half_width; left += SPAN) {
            const int row = top + get_local_id(1), i = left + get_local_id(0);
            if (row < count && i < half_width) {
                const global float *turn = rotation + row * width + i;
                const float x = rows[row * PITCH + i], y = rows[row * PITCH + i + half_width];
                const float cosine = turn[0], sine = turn[half_width];
                global float *pair = target + row * row_stride + i;
                pair[0] = (x * cosine + y * sine) * scale;
                pair[half_width] = (y * cosine - x * sine) * scale;
            }
        }
}

tile_function void store_rows(const local float *rows, int row_stride, int width, int count, global float *target) {
    for (int top = 0; top < OWN_ROWS; top += GROUP_ROWS)
        for (int left = 0; left < width; left += SPAN) {
            const int row = top + get_local_id(1), i = left + get_local_id(0);
            if (row < count && i < width) target[row * row_stride + i] = rows[row * PITCH + i];
        }
}

head_kernel void attention_backward_queries_tiles(global const float *qkv, global const float *rotation,
                                                  global const float *y, global const float *dy,
                                                  global const float *lse, global float *deltas, global float *dqkv,
                                                  int sequence, int heads, int width) {
    local float own[OWN_ROWS * PITCH] __attribute__((aligned(16)));
    local float block[BLOCK_ROWS * PITCH] __attribute__((aligned(16)));
    local float weights[OWN_ROWS * WEIGHT_PITCH] __attribute__((aligned(16)));
    const int x = get_local_id(0), top = get_local_id(1) * ROWS;
    const int first = get_group_id(0) * OWN_ROWS, rows = min(OWN_ROWS, sequence - first);
    const int model = heads * width, row_stride = 3 * model;
    const float scale = 1.0f / sqrt((float)width);
    const Head head = this_head(sequence, heads, width);
    const size_t first_row = head.projections + (size_t)first * row_stride;
    const size_t first_slope = head.outputs + (size_t)first * model;

    clear_rows(own, OWN_ROWS);
    clear_rows(block, BLOCK_ROWS);
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
        const size_t row = first_slope + (size_t)(top + r) * model;
        float sum = 0.0f;
        for (int left = 0; left < width; left += SPAN)
            if (top + r < rows && left + x < width) sum = fma(dy[row + left + x], y[row + left + x], sum);
        weights[(top + r) * WEIGHT_PITCH + x] = sum;
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    float4 gradient[ROWS][OUTPUT_COLUMNS];
    float delta[ROWS], log_sum[ROWS];
    clear_sums(gradient);
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
        const bool is_query = top + r < rows;
        const size_t query = head.sums + first + top + r;
        delta[r] = 0.0f;
        for (int j = 0; j < SPAN; ++j) delta[r] += weights[(top + r) * WEIGHT_PITCH + j];
        log_sum[r] = is_query ? lse[query] : 0.0f;
        if (is_query && x == 0) deltas[query] = delta[r];
    }

    for (int start = 0; start < sequence; start += BLOCK_ROWS) {
        const int count = min(BLOCK_ROWS, sequence - start);
        global const float *keys = qkv + head.projections + (size_t)start * row_stride + model;
        float tile[ROWS][BLOCK_COLUMNS];
        load_rows(dy + first_slope, model, width, OWN_ROWS, rows, own);
        load_rows(keys + model, row_stride, width, BLOCK_ROWS, count, block);
        barrier(CLK_LOCAL_MEM_FENCE);
        multiply_rows(own, block, width, tile);
        put_tile(tile, weights);
        barrier(CLK_LOCAL_MEM_FENCE);

        load_rotated(qkv + first_row, rotation + (size_t)first * width, row_stride, width, OWN_ROWS, rows, scale, own);
        load_rotated(keys, rotation + (size_t)start * width, row_stride, width, BLOCK_ROWS, count, 1.0f, block);
        barrier(CLK_LOCAL_MEM_FENCE);
        multiply_rows(own, block, width, tile);
#pragma unroll
        for (int r = 0; r < ROWS; ++r)
#pragma unroll
            for (int j = 0; j < BLOCK_COLUMNS; ++j) {
                local float *slope = weights + (top + r) * WEIGHT_PITCH + x + SPAN * j;
                *slope = x + SPAN * j < count ? exp(tile[r][j] - log_sum[r]) * (*slope - delta[r]) : 0.0f;
            }
        barrier(CLK_LOCAL_MEM_FENCE);
        add_rows(weights, block, gradient);
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    share_rows(gradient, own);
    barrier(CLK_LOCAL_MEM_FENCE);
    store_turned_back(own, rotation + (size_t)first * width, row_stride, width, rows, scale, dqkv + first_row);
}

head_kernel void attention_backward_keys_tiles(global const float *qkv, global const float *rotation,
                                               global const float *dy, global const float *lse,
                                               global const float *deltas, global float *dqkv, int sequence, int heads,
                                               int width) {
    local float own[OWN_ROWS * PITCH] __attribute__((aligned(16)));
    local float block[BLOCK_ROWS * PITCH] __attribute__((aligned(16)));
    local float weights[OWN_ROWS * WEIGHT_PITCH] __attribute__((aligned(16)));
    const int x = get_local_id(0), top = get_local_id(1) * ROWS;
    const int first = get_group_id(0) * OWN_ROWS, rows = min(OWN_ROWS, sequence - first);
    const int model = heads * width, row_stride = 3 * model;
    const float scale = 1.0f / sqrt((float)width);
    const Head head = this_head(sequence, heads, width);
    const size_t first_key = head.projections + (size_t)first * row_stride + model;
    global const float *turn = rotation + (size_t)first * width;

    clear_rows(own, OWN_ROWS);
    clear_rows(block, BLOCK_ROWS);
    barrier(CLK_LOCAL_MEM_FENCE);
    float4 key_gradient[ROWS][OUTPUT_COLUMNS], value_gradient[ROWS][OUTPUT_COLUMNS];
    clear_sums(key_gradient);
    clear_sums(value_gradient);

    for (int start = 0; start < sequence; start += BLOCK_ROWS) {
        const int count = min(BLOCK_ROWS, sequence - start);
        const size_t query = head.sums + start + x;
        global const float *queries = qkv + head.projections + (size_t)start * row_stride;
        global const float *query_turn = rotation + (size_t)start * width;
        float tile[ROWS][BLOCK_COLUMNS];
        load_rotated(qkv + first_key, turn, row_stride, width, OWN_ROWS, rows, 1.0f, own);
        load_rotated(queries, query_turn, row_stride, width, BLOCK_ROWS, count, scale, block);
        barrier(CLK_LOCAL_MEM_FENCE);
        multiply_rows(own, block, width, tile);
#pragma unroll
        for (int j = 0; j < BLOCK_COLUMNS; ++j) {
            const bool is_query = x + SPAN * j < count;
            const float log_sum = is_query ? lse[query + SPAN * j] : 0.0f;
#pragma unroll
            for (int r = 0; r < ROWS; ++r) tile[r][j] = is_query ? exp(tile[r][j] - log_sum) : 0.0f;
        }
        put_tile(tile, weights);
        barrier(CLK_LOCAL_MEM_FENCE);

        load_rows(qkv + first_key + model, row_stride, width, OWN_ROWS, rows, own);
        load_rows(dy + head.outputs + (size_t)start * model, model, width, BLOCK_ROWS, count, block);
        barrier(CLK_LOCAL_MEM_FENCE);
        multiply_rows(own, block, width, tile);
        add_rows(weights, block, value_gradient);
        barrier(CLK_LOCAL_MEM_FENCE);

        load_rotated(queries, query_turn, row_stride, width, BLOCK_ROWS, count, scale, block);
#pragma unroll
        for (int j = 0; j < BLOCK_COLUMNS; ++j) {
            const bool is_query = x + SPAN * j < count;
            const float delta = is_query ? deltas[query + SPAN * j] : 0.0f;
#pragma unroll
            for (int r = 0; r < ROWS; ++r) {
                local float *weight = weights + (top + r) * WEIGHT_PITCH + x + SPAN * j;
                *weight = is_query ? *weight * (tile[r][j] - delta) : 0.0f;
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        add_rows(weights, block, key_gradient);
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    share_rows(key_gradient, own);
    barrier(CLK_LOCAL_MEM_FENCE);
    store_turned_back(own, turn, row_stride, width, rows, 1.0f, dqkv + first_key);
    barrier(CLK_LOCAL_MEM_FENCE);
    share_rows(value_gradient, own);
    barrier(CLK_LOCAL_MEM_FENCE);
    store_rows(own, row_stride, width, rows, dqkv + first_key + model);
}
