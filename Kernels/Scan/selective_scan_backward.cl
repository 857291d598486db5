// Gradient of selective_scan_serial.cl, LANES channels of a work-item at a time, the states recomputed tile by tile.
//
//   a_t = exp(delta_t A),  drive_t = delta_t u_t,  dy_t = dout_t SiLU(z_t),  g_t = dh_t = dy_t C_t + a_{t+1} g_{t+1}
//   dB_t = sum_i g_t drive_t,  dC_t = sum_i dy_t h_t,  dA = sum_t delta_t g_t a_t h_{t-1},  dA_log = A dA
//   d(drive_t) = sum_n g_t B_t,  d(delta_t) = sum_n A g_t a_t h_{t-1} + u_t d(drive_t)
//   du_t = D dy_t + delta_t d(drive_t),  dD = sum_t dy_t u_t,  dz_t = dout_t y_t SiLU'(z_t)
//
// Legend     S steps, I channels, N states and TIME_TILE (defines), P = ceil(I / span) parts of `span` channels, a
//            multiple of LANES and, with a GROUP of several work-items, their number
// Work-group GROUP work-items; global {P * GROUP, batch}. It owns one part of one sample, a work-item LANES of its
//            channels after the other: forward over S leaving the state before every TIME_TILE steps in
//            `checkpoints`, then backward over the tiles.
// Sums       dB and dC over the channels of a part are kept in projection_parts, which selective_scan_backward_reduce
//            adds in the order of the parts; dA_log and dD are left per sample, for sum_rows to add over the batch.
// Scratch    checkpoints [batch, P, ceil(S / TIME_TILE), N, GROUP * LANES] and projection_parts [P, batch, S, 2N]
//            floats; neither needs clearing
// Private    4N + (7 + 2 * STATE_TILE) * TIME_TILE vectors of LANES floats
// Local      with a GROUP of several 2 * TIME_TILE * STATE_TILE * (GROUP + 1) floats, else none
// Expects    the arguments of the forward scan without its states; outputs du, ddt [B,S,I], dz a row slice,
//            sample_a_log [B,I,N], sample_skip [B,I], all overwritten. ddt is the gradient before softplus.
// Twin       the same text with LANES 1, GROUP 1 and span 8.
#if GROUP > 1 && LANES > 1
#error "selective_scan_backward has several lanes or several work-items"
#endif
// A float longer than its content, so that neighbours that add up neighbouring rows read different banks.
#define SHARE_PITCH (GROUP + 1)

// What one channel vector holds of the TIME_TILE steps at hand: inputs, then what is summed over the states.
typedef struct {
    lanes input[TIME_TILE], delta[TIME_TILE], drive[TIME_TILE], dy[TIME_TILE];
    lanes y[TIME_TILE], d_delta[TIME_TILE], d_drive[TIME_TILE];
} Tile;

// STATE_TILE states over a tile: h[0] before it, h[t + 1] after step t, a[t] the decay of step t.
typedef struct {
    lanes h[TIME_TILE + 1][STATE_TILE], a[TIME_TILE][STATE_TILE];
} History;

// Fills `past` from its h[0].
static inline void replay(
    int length, const Tile *now, History *past, const lanes *rate, const global float *restrict b, int b_stride
) {
    lanes h[STATE_TILE];
    for (int n = 0; n < STATE_TILE; n++) h[n] = past->h[0][n];
    for (int t = 0; t < length; t++) {
        // Unrolled, the chains of several states run side by side.
#pragma unroll
        for (int n = 0; n < STATE_TILE; n++) {
            past->a[t][n] = exp2_nonpositive(now->delta[t] * rate[n]);
            h[n] = past->a[t][n] * h[n] + now->drive[t] * b[(size_t)t * b_stride + n];
            past->h[t + 1][n] = h[n];
        }
    }
}

// Walks the tile backward. `carry` is a_{t+1} g_{t+1} after it and becomes the same before it. What goes into dB and dC is
// summed over the lanes and kept in `parts` [length, 2N], written by a part's first channels and added to by the others;
// a work-item among several leaves it in its column of `shares`, dB's rows [TIME_TILE, STATE_TILE] before dC's.
static inline void retrace(
    int length, Tile *now, const History *past, const lanes *rate, lanes *carry, lanes *d_rate,
    const global float *restrict b, int b_stride, const global float *restrict c, int c_stride,
    global float *restrict parts, bool first_of_part, local float *shares
) {
    lanes g[STATE_TILE], dr[STATE_TILE];
    for (int n = 0; n < STATE_TILE; n++) {
        g[n] = carry[n];
        dr[n] = d_rate[n];
    }
    for (int t = length - 1; t >= 0; t--) {
        lanes y = now->y[t], d_delta = now->d_delta[t], d_drive = now->d_drive[t];
        for (int n = 0; n < STATE_TILE; n++) {
            const float b_n = b[(size_t)t * b_stride + n], c_n = c[(size_t)t * c_stride + n];
            const lanes h = past->h[t + 1][n];
            g[n] += now->dy[t] * c_n;
            y += h * c_n;
            d_drive += g[n] * b_n;
            const float db = sum_lanes(g[n] * now->drive[t]);
            const float dc = sum_lanes(now->dy[t] * h);
#if GROUP > 1
            shares[(t * STATE_TILE + n) * SHARE_PITCH] = db;
            shares[((TIME_TILE + t) * STATE_TILE + n) * SHARE_PITCH] = dc;
#else
            global float *part = parts + (size_t)t * 2 * N + n;
            part[0] = first_of_part ? db : part[0] + db;
            part[N] = first_of_part ? dc : part[N] + dc;
#endif
            g[n] *= past->a[t][n];
            const lanes decayed = g[n] * past->h[t][n];
            dr[n] += now->delta[t] * decayed;
            d_delta += rate[n] * decayed;
        }
        now->y[t] = y;
        now->d_delta[t] = d_delta;
        now->d_drive[t] = d_drive;
    }
    for (int n = 0; n < STATE_TILE; n++) {
        carry[n] = g[n];
        d_rate[n] = dr[n];
    }
}

#if GROUP > 1
// parts [length, 2N] = the rows of `shares` added up, each by one work-item in ascending order of the channels.
static inline void add_shares(int length, const local float *shares, global float *restrict parts) {
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int row = get_local_id(0); row < 2 * TIME_TILE * STATE_TILE; row += GROUP) {
        const int t = row / STATE_TILE % TIME_TILE, n = row % STATE_TILE;
        float sum = 0.0f;
        for (int i = 0; i < GROUP; i++) sum += shares[row * SHARE_PITCH + i];
        if (t < length) parts[(size_t)t * 2 * N + n + (row < TIME_TILE * STATE_TILE ? 0 : N)] = sum;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}
#endif

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void selective_scan_backward(
    const int steps, const int channels, const int span,
    const global float *restrict u,
    const global float *restrict dt,
    const global float *restrict b, const int b_offset, const int b_stride,
    const global float *restrict c, const int c_offset, const int c_stride,
    const global float *restrict z, const int z_offset, const int z_stride,
    const global float *restrict a_log,
    const global float *restrict skip,
    const global float *restrict dout,
    global float *restrict du,
    global float *restrict ddt,
    global float *restrict dz, const int dz_offset, const int dz_stride,
    global float *restrict sample_a_log,
    global float *restrict sample_skip,
    global float *restrict checkpoints,
    global float *restrict projection_parts
) {
    const size_t sample = get_global_id(1);
    const size_t first_row = sample * steps;
    const int tiles = ceil_div(steps, TIME_TILE);
    const int part_begin = get_group_id(0) * span;
    const int me = get_local_id(0) * LANES;
    checkpoints += (sample * get_num_groups(0) + get_group_id(0)) * tiles * N * GROUP * LANES + me;
    projection_parts += (get_group_id(0) * get_global_size(1) * steps + first_row) * 2 * N;
    b += first_row * b_stride + b_offset;
    c += first_row * c_stride + c_offset;
    z += first_row * z_stride + z_offset;
    dz += first_row * dz_stride + dz_offset;
#if GROUP > 1
    local float shares[2 * TIME_TILE * STATE_TILE * SHARE_PITCH];
    local float *my_shares = shares + me;
#else
    local float *my_shares = 0;
#endif

    for (int begin = part_begin; begin < min(part_begin + span, channels); begin += GROUP * LANES) {
        // Past the last channel a work-item repeats it, so that all of a group meet at the barriers, and keeps nothing.
        const bool owned = begin + me < channels;
        const int channel = min(begin + me, channels - 1);
        const int count = min(LANES, channels - channel);
        const size_t base = first_row * channels + channel;
        const lanes direct = load_lanes(skip + channel, count);
        lanes rate[N], state[N], carry[N], d_rate[N];
        for (int n = 0; n < N; n++) {
            rate[n] = -LOG2E * exp(gather_lanes(a_log + channel * N + n, N, count));
            state[n] = carry[n] = d_rate[n] = 0.0f;
        }
        lanes d_direct = 0.0f;
        Tile now;
        History past;

        for (int k = 0; k < tiles; k++) {
            const int start = k * TIME_TILE;
            const int length = min(TIME_TILE, steps - start);
            for (int t = 0; t < length; t++) {
                const size_t at = base + (size_t)(start + t) * channels;
                now.delta[t] = softplus(load_lanes(dt + at, count));
                now.drive[t] = now.delta[t] * load_lanes(u + at, count);
            }
            for (int n = 0; n < N; n++) store_lanes(state[n], checkpoints + ((size_t)k * N + n) * GROUP * LANES, LANES);
            for (int first = 0; first < N; first += STATE_TILE) {
                for (int n = 0; n < STATE_TILE; n++) past.h[0][n] = state[first + n];
                replay(length, &now, &past, rate + first, b + (size_t)start * b_stride + first, b_stride);
                for (int n = 0; n < STATE_TILE; n++) state[first + n] = past.h[length][n];
            }
        }

        for (int k = tiles - 1; k >= 0; k--) {
            const int start = k * TIME_TILE;
            const int length = min(TIME_TILE, steps - start);
            for (int t = 0; t < length; t++) {
                const size_t at = base + (size_t)(start + t) * channels;
                const lanes gate = load_lanes(z + (size_t)(start + t) * z_stride + channel, count);
                now.input[t] = load_lanes(u + at, count);
                now.delta[t] = softplus(load_lanes(dt + at, count));
                now.drive[t] = owned ? now.delta[t] * now.input[t] : (lanes)0.0f;
                now.dy[t] = owned ? load_lanes(dout + at, count) * silu(gate) : (lanes)0.0f;
                now.y[t] = direct * now.input[t];
                now.d_delta[t] = now.d_drive[t] = 0.0f;
                d_direct += now.dy[t] * now.input[t];
            }
            for (int first = 0; first < N; first += STATE_TILE) {
                const global float *b_tile = b + (size_t)start * b_stride + first;
                global float *parts = projection_parts + (size_t)start * 2 * N + first;
                for (int n = 0; n < STATE_TILE; n++)
                    past.h[0][n] = load_lanes(checkpoints + ((size_t)k * N + first + n) * GROUP * LANES, LANES);
                replay(length, &now, &past, rate + first, b_tile, b_stride);
                retrace(
                    length, &now, &past, rate + first, carry + first, d_rate + first, b_tile, b_stride,
                    c + (size_t)start * c_stride + first, c_stride,
                    parts, begin == part_begin, my_shares);
#if GROUP > 1
                add_shares(length, shares, parts);
#endif
            }
            for (int t = 0; t < length && owned; t++) {
                const size_t at = base + (size_t)(start + t) * channels;
                const lanes gate = load_lanes(z + (size_t)(start + t) * z_stride + channel, count);
                const lanes d_gate = load_lanes(dout + at, count) * now.y[t] * silu_slope(gate, sigmoid(gate));
                const lanes d_delta = LN2 * now.d_delta[t] + now.input[t] * now.d_drive[t];
                store_lanes(direct * now.dy[t] + now.delta[t] * now.d_drive[t], du + at, count);
                store_lanes(d_delta * sigmoid(load_lanes(dt + at, count)), ddt + at, count);
                store_lanes(d_gate, dz + (size_t)(start + t) * dz_stride + channel, count);
            }
        }
        for (int n = 0; n < N && owned; n++)
            scatter_lanes(
                LN2 * rate[n] * d_rate[n], sample_a_log + (sample * channels + channel) * N + n, N, count);
        if (owned) store_lanes(d_direct, sample_skip + sample * channels + channel, count);
    }
}

// db[row, n] = sum over parts of projection_parts[part, row, n], dc[row, n] the same at N + n, in ascending order.
// Work-group any; global {2N, rows}. A work-item owns one element.
kernel void selective_scan_backward_reduce(
    const int parts, const int rows,
    const global float *restrict projection_parts,
    global float *restrict db, const int db_offset, const int db_stride,
    global float *restrict dc, const int dc_offset, const int dc_stride
) {
    const int n = get_global_id(0);
    const size_t row = get_global_id(1);
    const size_t part_stride = (size_t)rows * 2 * N;
    float sum = 0.0f;
    for (int part = 0; part < parts; part++) sum += projection_parts[part * part_stride + row * 2 * N + n];
    if (n < N)
        db[db_offset + row * db_stride + n] = sum;
    else
        dc[dc_offset + row * dc_stride + n - N] = sum;
}
