// y = softmax(rotary(q) rotary(k)^T / sqrt(d)) v for GPUs, unmasked; qkv [B, S, 3 D], y [B, S, D], d = D / heads.
//
// Work-group (ceil(S / 32), heads, B) of 16 x 8 work-items owns 32 queries of one head and takes the keys BLOCK_ROWS
// at a time with an online softmax; head_blocks.clh says which work-item owns what. Keys are rotated while they are
// loaded; global reads are coalesced along the head.
// Local memory: the queries, one block of keys and then of values, and the weights of that block: 36 KB for
// HEAD_WIDTH 64 with BLOCK_ROWS 64, 40 KB for 128 with 32; with half the rows 24 and 30 KB.
// With LSE the natural log-sum-exp of each query's scores goes to lse [B, heads, S]; else that argument is unread.
//
// Preconditions: d even, d <= HEAD_WIDTH; the defines of head_blocks.clh; global size (16 ceil(S / 32), 8 heads, B),
// local size (16, 8, 1); rotation is the table of rotary.clh.
// Beside attention_naive: BLOCK_ROWS keys at a time instead of one by one, scores in log2.

head_kernel void attention_tiles(global const float *qkv, global const float *rotation, global float *y,
                                 global float *lse, int sequence, int heads, int width) {
    local float queries[OWN_ROWS * PITCH] __attribute__((aligned(16)));
    local float block[BLOCK_ROWS * PITCH] __attribute__((aligned(16)));
    local float weights[OWN_ROWS * WEIGHT_PITCH] __attribute__((aligned(16))), shared[OWN_ROWS * SPAN];
    const int x = get_local_id(0), top = get_local_id(1) * ROWS;
    const int head = get_group_id(1), b = get_group_id(2), first = get_group_id(0) * OWN_ROWS;
    const int model = heads * width, row_stride = 3 * model;
    global const float *sample = qkv + (size_t)b * sequence * row_stride + head * width;

    clear_rows(queries, OWN_ROWS);
    clear_rows(block, BLOCK_ROWS);
    barrier(CLK_LOCAL_MEM_FENCE);
    load_rotated(sample + (size_t)first * row_stride, rotation + (size_t)first * width, row_stride, width,
                 OWN_ROWS, sequence - first, LOG2E / sqrt((float)width), queries);

    float4 output[ROWS][OUTPUT_COLUMNS];
    float peak[ROWS], total[ROWS];
    clear_sums(output);
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
        peak[r] = -INFINITY;
        total[r] = 0.0f;
    }

    for (int start = 0; start < sequence; start += BLOCK_ROWS) {
        const int count = min(BLOCK_ROWS, sequence - start);
        global const float *keys = sample + (size_t)start * row_stride + model;
        load_rotated(keys, rotation + (size_t)start * width, row_stride, width, BLOCK_ROWS, count, 1.0f, block);
        barrier(CLK_LOCAL_MEM_FENCE);

        float score[ROWS][BLOCK_COLUMNS];
        multiply_rows(queries, block, width, score);
#pragma unroll
        for (int r = 0; r < ROWS; ++r) {
            float greatest = -INFINITY;
#pragma unroll
            for (int j = 0; j < BLOCK_COLUMNS; ++j) {
                if (x + SPAN * j >= count) score[r][j] = -INFINITY;
                greatest = fmax(greatest, score[r][j]);
            }
            shared[(top + r) * SPAN + x] = greatest;
        }
        barrier(CLK_LOCAL_MEM_FENCE);

        load_rows(keys + model, row_stride, width, BLOCK_ROWS, count, block);
#pragma unroll
        for (int r = 0; r < ROWS; ++r) {
            float greatest = peak[r];
            for (int j = 0; j < SPAN; ++j) greatest = fmax(greatest, shared[(top + r) * SPAN + j]);
            // A row of nothing but -inf so far keeps weight 0 instead of exp2(-inf + inf).
            const float reference = greatest == -INFINITY ? 0.0f : greatest;
            const float decay = exp2(peak[r] - reference);
            total[r] *= decay;
#pragma unroll
            for (int p = 0; p < OUTPUT_COLUMNS; ++p) output[r][p] *= decay;
#pragma unroll
            for (int j = 0; j < BLOCK_COLUMNS; ++j) {
                const float weight = exp2(score[r][j] - reference);
                total[r] += weight;
                weights[(top + r) * WEIGHT_PITCH + x + SPAN * j] = weight;
            }
            peak[r] = greatest;
        }
        barrier(CLK_LOCAL_MEM_FENCE);

        add_rows(weights, block, output);
        barrier(CLK_LOCAL_MEM_FENCE);
    }

#pragma unroll
    for (int r = 0; r < ROWS; ++r) shared[(top + r) * SPAN + x] = total[r];
    barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
        const int s = first + top + r;
        if (s >= sequence) continue;
        float sum = 0.0f;
        for (int j = 0; j < SPAN; ++j) sum += shared[(top + r) * SPAN + j];
        global float *target = y + ((size_t)b * sequence + s) * model + head * width;
#pragma unroll
        for (int p = 0; p < OUTPUT_COLUMNS; ++p) {
            float lane[4];
            vstore4(output[r][p] / sum, 0, lane);
            for (int i = 0; i < 4; ++i)
                if (64 * p + 4 * x + i < width) target[64 * p + 4 * x + i] = lane[i];
        }
#ifdef LSE
        if (x == 0) lse[((size_t)b * heads + head) * sequence + s] = (peak[r] + log2(sum)) * LN2;
#endif
    }
}
