// y = softmax(rotary(q) rotary(k)^T / sqrt(d)) v for GPUs, unmasked; qkv [B, S, 3 D], y [B, S, D], d = D / heads.
//
// Work-group (ceil(S / 32), heads, B) of 16 x 8 work-items owns 32 queries of one head and takes the keys KEYS at a
// time with an online softmax. Work-item (x, y) owns queries 4y ... 4y + 3 against keys x + 16 j of a block, and
// columns 64 p + 4 x ... + 3 of those queries' output. Keys are rotated while they are loaded; global reads are
// coalesced along the head.
// Local memory: the queries, one block of keys and then of values, and the weights of that block: 36 KB for
// HEAD_WIDTH 64 with KEYS 64, 40 KB for 128 with 32; with half the KEYS 24 and 30 KB. Rows start at multiples of
// 16 bytes, so that four floats are one read, and are 4 floats longer than their content, which keeps these reads free
// of bank conflicts.
// With LSE the natural log-sum-exp of each query's scores goes to lse [B, heads, S]; else that argument is unread.
//
// Preconditions: d even, d <= HEAD_WIDTH; the defines HEAD_WIDTH, a multiple of 64, and KEYS, a multiple of 16; global
// size (16 ceil(S / 32), 8 heads, B), local size (16, 8, 1); rotation is the table of rotary.clh.
// Beside attention_naive: KEYS keys at a time instead of one by one, scores in log2.
#define QUERIES 32
#define SPAN 16
#define GROUP_SIZE 128
#define PITCH (HEAD_WIDTH + 4)
#define WEIGHT_PITCH (KEYS + 4)
#define ROWS 4
#define KEY_COLUMNS (KEYS / SPAN)
#define OUTPUT_COLUMNS (HEAD_WIDTH / 64)

// rows x d of one head into local memory, turned and scaled; rows past the end of the sequence are zero.
static inline void load_rotated(const global float *source, const global float *rotation, int row_stride, int width,
                                int rows, int count, float scale, local float *target, int me) {
    const int half_width = width / 2;
    for (int e = me; e < rows * half_width; e += GROUP_SIZE) {
        const int row = e / half_width, i = e % half_width;
        float x = 0.0f, y = 0.0f;
        if (row < count) {
            const global float *pair = source + (size_t)row * row_stride + i;
            const global float *turn = rotation + (size_t)row * width + i;
            const float cosine = turn[0], sine = turn[half_width];
            x = (pair[0] * cosine - pair[half_width] * sine) * scale;
            y = (pair[half_width] * cosine + pair[0] * sine) * scale;
        }
        target[row * PITCH + i] = x;
        target[row * PITCH + i + half_width] = y;
    }
}

// Four floats at a multiple of 16 bytes; vload4 would have to expect any multiple of 4.
static inline float4 aligned4(const local float *source) { return *(const local float4 *)source; }

static inline float4 fma_rows(float4 weight, const local float *rows, float4 sum) {
    sum = fma((float4)weight.x, aligned4(rows), sum);
    sum = fma((float4)weight.y, aligned4(rows + PITCH), sum);
    sum = fma((float4)weight.z, aligned4(rows + 2 * PITCH), sum);
    return fma((float4)weight.w, aligned4(rows + 3 * PITCH), sum);
}

kernel __attribute__((reqd_work_group_size(SPAN, GROUP_SIZE / SPAN, 1)))
void attention_tiles(global const float *qkv, global const float *rotation, global float *y, global float *lse,
                     int sequence, int heads, int width) {
    local float queries[QUERIES * PITCH] __attribute__((aligned(16))), block[KEYS * PITCH] __attribute__((aligned(16)));
    local float weights[QUERIES * WEIGHT_PITCH] __attribute__((aligned(16))), shared[QUERIES * SPAN];
    const int x = get_local_id(0), me = get_local_id(1) * SPAN + x, top = get_local_id(1) * ROWS;
    const int head = get_group_id(1), b = get_group_id(2), first = get_group_id(0) * QUERIES;
    const int model = heads * width, row_stride = 3 * model;
    global const float *sample = qkv + (size_t)b * sequence * row_stride + head * width;

    for (int e = me; e < QUERIES * PITCH; e += GROUP_SIZE) queries[e] = 0.0f;
    for (int e = me; e < KEYS * PITCH; e += GROUP_SIZE) block[e] = 0.0f;
    barrier(CLK_LOCAL_MEM_FENCE);
    load_rotated(sample + (size_t)first * row_stride, rotation + (size_t)first * width, row_stride, width,
                 QUERIES, sequence - first, LOG2E / sqrt((float)width), queries, me);

    float4 output[ROWS][OUTPUT_COLUMNS];
    float peak[ROWS], total[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
        peak[r] = -INFINITY;
        total[r] = 0.0f;
#pragma unroll
        for (int p = 0; p < OUTPUT_COLUMNS; ++p) output[r][p] = 0.0f;
    }

    for (int start = 0; start < sequence; start += KEYS) {
        const int count = min(KEYS, sequence - start);
        global const float *keys = sample + (size_t)start * row_stride + model;
        load_rotated(keys, rotation + (size_t)start * width, row_stride, width, KEYS, count, 1.0f, block, me);
        barrier(CLK_LOCAL_MEM_FENCE);

        float score[ROWS][KEY_COLUMNS];
#pragma unroll
        for (int r = 0; r < ROWS; ++r)
#pragma unroll
            for (int j = 0; j < KEY_COLUMNS; ++j) score[r][j] = 0.0f;
        for (int i = 0; i < width; i += 4) {
            float4 key[KEY_COLUMNS];
#pragma unroll
            for (int j = 0; j < KEY_COLUMNS; ++j) key[j] = aligned4(block + (x + SPAN * j) * PITCH + i);
#pragma unroll
            for (int r = 0; r < ROWS; ++r) {
                const float4 query = aligned4(queries + (top + r) * PITCH + i);
#pragma unroll
                for (int j = 0; j < KEY_COLUMNS; ++j) {
                    score[r][j] = fma(query.x, key[j].x, score[r][j]);
                    score[r][j] = fma(query.y, key[j].y, score[r][j]);
                    score[r][j] = fma(query.z, key[j].z, score[r][j]);
                    score[r][j] = fma(query.w, key[j].w, score[r][j]);
                }
            }
        }
#pragma unroll
        for (int r = 0; r < ROWS; ++r) {
            float greatest = -INFINITY;
#pragma unroll
            for (int j = 0; j < KEY_COLUMNS; ++j) {
                if (x + SPAN * j >= count) score[r][j] = -INFINITY;
                greatest = fmax(greatest, score[r][j]);
            }
            shared[(top + r) * SPAN + x] = greatest;
        }
        barrier(CLK_LOCAL_MEM_FENCE);

        for (int e = me; e < KEYS * width; e += GROUP_SIZE) {
            const int row = e / width, i = e % width;
            block[row * PITCH + i] = row < count ? keys[(size_t)row * row_stride + model + i] : 0.0f;
        }
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
            for (int j = 0; j < KEY_COLUMNS; ++j) {
                const float weight = exp2(score[r][j] - reference);
                total[r] += weight;
                weights[(top + r) * WEIGHT_PITCH + x + SPAN * j] = weight;
            }
            peak[r] = greatest;
        }
        barrier(CLK_LOCAL_MEM_FENCE);

        for (int key = 0; key < KEYS; key += 4)
#pragma unroll
            for (int r = 0; r < ROWS; ++r) {
                const float4 weight = aligned4(weights + (top + r) * WEIGHT_PITCH + key);
#pragma unroll
                for (int p = 0; p < OUTPUT_COLUMNS; ++p)
                    output[r][p] = fma_rows(weight, block + key * PITCH + 64 * p + 4 * x, output[r][p]);
            }
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
