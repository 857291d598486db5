// Selective scan, parallel in time: the recurrence h_t = a_t h_{t-1} + b_t is an associative scan over pairs (a, b)
// with (a2, b2) o (a1, b1) = (a1 a2, a2 b1 + b2). Same operation and arguments as selective_scan_serial.cl.
//
// Legend     S steps, I channels, N states; CHANNELS, TIMES (a power of two) and ITEMS are defines; LANES is 1
// Work-group {CHANNELS, TIMES, 1}; global {ceil(I / CHANNELS) * CHANNELS, TIMES, batch}. It owns CHANNELS channels of
//            one sample and walks over S in chunks of TIMES * ITEMS steps; work-item (c, k) holds ITEMS consecutive
//            steps of channel c in registers. Neighbouring work-items read neighbouring channels.
// Per state  each work-item folds its ITEMS pairs, the group scans the TIMES pairs of a channel in local memory
//            (Hillis-Steele, two buffers, one barrier a round), each work-item replays its steps from the state it is
//            given.
// Local      CHANNELS * (4 * TIMES + 2 * N) * 4 bytes
// Expects    u, dt, y dense [B,S,I]; B, C, z row slices: element (row, j) at offset + row * stride + j; any S and I
//            >= 1.
// Twin       selective_scan_naive.cl
#if LANES != 1
#error "selective_scan_parallel needs LANES=1"
#endif

// `later` after `earlier`.
static inline float2 compose(float2 later, float2 earlier) {
    return (float2)(later.x * earlier.x, later.x * earlier.y + later.y);
}

kernel __attribute__((reqd_work_group_size(CHANNELS, TIMES, 1)))
void selective_scan_parallel(
    const int steps, const int channels,
    const global float *restrict u,
    const global float *restrict dt,
    const global float *restrict b, const int b_offset, const int b_stride,
    const global float *restrict c, const int c_offset, const int c_stride,
    const global float *restrict z, const int z_offset, const int z_stride,
    const global float *restrict a_log,
    const global float *restrict skip,
    global float *restrict y
#ifdef CARRY_STATE
    , const global float *restrict initial_state, global float *restrict final_state
#endif
) {
    local float2 pairs[2][TIMES][CHANNELS];
    // The state before the even and before the odd chunks: one is read while the other is written.
    local float carried[2][N][CHANNELS];

    const int column = get_local_id(0);
    const int slot = get_local_id(1);
    const int channel = min((int)get_global_id(0), channels - 1);
    const bool owned = get_global_id(0) < channels;
    const size_t first_row = get_global_id(2) * (size_t)steps;
    const float direct = skip[channel];
#ifdef CARRY_STATE
    const size_t state_base = (get_global_id(2) * (size_t)channels + channel) * N;
#endif

    if (slot == 0) {
        for (int n = 0; n < N; n++) {
#ifdef CARRY_STATE
            carried[0][n][column] = initial_state[state_base + n];
#else
            carried[0][n][column] = 0.0f;
#endif
        }
    }

    const int chunks = ceil_div(steps, TIMES * ITEMS);
    int buffer = 0;
    for (int chunk = 0; chunk < chunks; chunk++) {
        const int start = (chunk * TIMES + slot) * ITEMS;
        float delta[ITEMS], drive[ITEMS], sum[ITEMS];
        for (int j = 0; j < ITEMS; j++) {
            // Steps past the end take the identity pair (1, 0).
            const bool inside = start + j < steps;
            const size_t at = (first_row + min(start + j, steps - 1)) * channels + channel;
            delta[j] = inside ? softplus(dt[at]) : 0.0f;
            drive[j] = inside ? delta[j] * u[at] : 0.0f;
            sum[j] = direct * u[at];
        }
        for (int n = 0; n < N; n++) {
            const float rate = -LOG2E * exp(a_log[channel * N + n]);
            float decay[ITEMS], input[ITEMS];
            float2 pair = (float2)(1.0f, 0.0f);
            for (int j = 0; j < ITEMS; j++) {
                const size_t row = first_row + min(start + j, steps - 1);
                // By itself for the steps past the end: a rate of -inf times their delta of 0 is NaN.
                decay[j] = start + j < steps ? exp2(delta[j] * rate) : 1.0f;
                input[j] = start + j < steps ? drive[j] * b[b_offset + row * b_stride + n] : 0.0f;
                pair = compose((float2)(decay[j], input[j]), pair);
            }
            buffer ^= 1;
            pairs[buffer][slot][column] = pair;
            barrier(CLK_LOCAL_MEM_FENCE);
            for (int distance = 1; distance < TIMES; distance *= 2) {
                if (slot >= distance) pair = compose(pair, pairs[buffer][slot - distance][column]);
                buffer ^= 1;
                pairs[buffer][slot][column] = pair;
                barrier(CLK_LOCAL_MEM_FENCE);
            }
            const float before = carried[chunk & 1][n][column];
            float state = before;
            if (slot > 0) {
                const float2 prefix = pairs[buffer][slot - 1][column];
                state = prefix.x * before + prefix.y;
            }
            if (slot == TIMES - 1) carried[(chunk + 1) & 1][n][column] = pair.x * before + pair.y;
            for (int j = 0; j < ITEMS; j++) {
                const size_t row = first_row + min(start + j, steps - 1);
                state = decay[j] * state + input[j];
                sum[j] += state * c[c_offset + row * c_stride + n];
            }
        }
        for (int j = 0; j < ITEMS; j++) {
            const size_t row = first_row + start + j;
            if (owned && start + j < steps)
                y[row * channels + channel] = sum[j] * silu(z[z_offset + row * z_stride + channel]);
        }
    }
#ifdef CARRY_STATE
    barrier(CLK_LOCAL_MEM_FENCE);
    if (slot == 0 && owned)
        for (int n = 0; n < N; n++) final_state[state_base + n] = carried[chunks & 1][n][column];
#endif
}
