// Selective scan with its discretisation and gate, serial in time, LANES channels per work-item.
//
//   delta = softplus(dt),  A = -exp(A_log)
//   h_t = exp(delta_t A) h_{t-1} + delta_t B_t u_t,  y_t = sum_n C_t h_t + D u_t,  output y_t * SiLU(z_t)
//
// Legend     S steps, I channels, N states (a define, any N >= 1)
// Work-group one work-item; global {ceil(I / (LANES * blocks)), batch}. It owns `blocks` <= MAX_BLOCKS times LANES
//            channels of one sample for all steps.
// Memory     rows are pages apart, and a processor prefetches along some thirty pages at most. So time is cut into tiles
//            of TIME_TILE steps, a tile is taken along its rows, block after block, and each block's lines of the next
//            tile are asked for. One block, or tiles of 4 or of 32 steps, take a sixth longer.
// Private    within a tile STATE_TILE states at a time stay in registers, so that N = 64 costs no more per state than
//            N = 16. 3 * TIME_TILE + (2 * N + 1) * MAX_BLOCKS vectors of LANES floats.
// Local      none
// Expects    u, dt, y dense [B,S,I], y in bfloat16 with RESULT_BFLOAT16; B, C, z row slices: element (row, j) at offset +
//            row * stride + j.
// States     with CARRY_STATE, initial_state and final_state [B,I,N]: the scan of a whole equals that of its two
//            parts.
// NaN in channel i at step t reaches channel i from step t on; NaN in B or C reaches every channel.
// Twin       selective_scan_naive.cl
#define TIME_TILE 8

// Runs STATE_TILE states through `tile` steps; b and c point at the first step's first state of the tile.
static inline void scan_states(
    int tile, const lanes *delta, const lanes *drive, const lanes *rate, lanes *state, lanes *sum,
    const global float *restrict b, int b_stride, const global float *restrict c, int c_stride
) {
    lanes r[STATE_TILE], h[STATE_TILE];
#pragma unroll
    for (int n = 0; n < STATE_TILE; n++) {
        r[n] = rate[n];
        h[n] = state[n];
    }
    for (int t = 0; t < tile; t++) {
        lanes y = sum[t];
        // Unrolled, the chains of several states run side by side.
#pragma unroll
        for (int n = 0; n < STATE_TILE; n++) {
            h[n] = exp2_nonpositive(delta[t] * r[n]) * h[n] + drive[t] * b[(size_t)t * b_stride + n];
            y += h[n] * c[(size_t)t * c_stride + n];
        }
        sum[t] = y;
    }
    // Unrolled as well: a loop would read the states from memory, where they had to be stored first.
#pragma unroll
    for (int n = 0; n < STATE_TILE; n++) state[n] = h[n];
}

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void selective_scan_serial(
    const int steps, const int channels, const int blocks,
    const global float *restrict u,
    const global float *restrict dt,
    const global float *restrict b, const int b_offset, const int b_stride,
    const global float *restrict c, const int c_offset, const int c_stride,
    const global float *restrict z, const int z_offset, const int z_stride,
    const global float *restrict a_log,
    const global float *restrict skip,
    global result *restrict y
#ifdef CARRY_STATE
    , const global float *restrict initial_state, global float *restrict final_state
#endif
) {
    const int first_block = get_global_id(0) * blocks;
    const int own = min(blocks, ceil_div(channels, LANES) - first_block);
    const size_t first_row = get_global_id(1) * (size_t)steps;
    u += first_row * channels;
    dt += first_row * channels;
    y += first_row * channels;
    b += first_row * b_stride + b_offset;
    c += first_row * c_stride + c_offset;
    z += first_row * z_stride + z_offset;

    lanes rate[MAX_BLOCKS][N], state[MAX_BLOCKS][N], direct[MAX_BLOCKS];
    for (int j = 0; j < own; j++) {
        const int channel = (first_block + j) * LANES, count = min(LANES, channels - channel);
        for (int n = 0; n < N; n++) {
            rate[j][n] = -LOG2E * exp(gather_lanes(a_log + channel * N + n, N, count));
#ifdef CARRY_STATE
            state[j][n] = gather_lanes(
                initial_state + (get_global_id(1) * channels + channel) * N + n, N, count);
#else
            state[j][n] = 0.0f;
#endif
        }
        direct[j] = load_lanes(skip + channel, count);
    }

    for (int start = 0; start < steps; start += TIME_TILE) {
        const int tile = min(TIME_TILE, steps - start);
        for (int j = 0; j < own; j++) {
            const int channel = (first_block + j) * LANES, count = min(LANES, channels - channel);
            lanes delta[TIME_TILE], drive[TIME_TILE], sum[TIME_TILE];
            for (int t = 0; t < tile; t++) {
                const size_t at = (size_t)(start + t) * channels + channel;
                const size_t ahead = at + (size_t)TIME_TILE * channels;
                const lanes input = load_lanes(u + at, count);
                delta[t] = softplus(load_lanes(dt + at, count));
                drive[t] = delta[t] * input;
                sum[t] = direct[j] * input;
                fetch_soon(u + ahead);
                fetch_soon(dt + ahead);
                fetch_soon(z + (size_t)(start + t + TIME_TILE) * z_stride + channel);
            }
            for (int n = 0; n < N; n += STATE_TILE)
                scan_states(
                    tile, delta, drive, rate[j] + n, state[j] + n, sum,
                    b + (size_t)start * b_stride + n, b_stride, c + (size_t)start * c_stride + n, c_stride);
            for (int t = 0; t < tile; t++) {
                const size_t row = start + t;
                const lanes gate = silu(load_lanes(z + row * z_stride + channel, count));
                store_result(sum[t] * gate, y + row * channels + channel, count);
            }
        }
    }
#ifdef CARRY_STATE
    for (int j = 0; j < own; j++) {
        const int channel = (first_block + j) * LANES, count = min(LANES, channels - channel);
        for (int n = 0; n < N; n++)
            scatter_lanes(
                state[j][n], final_state + (get_global_id(1) * channels + channel) * N + n, N, count);
    }
#endif
}
