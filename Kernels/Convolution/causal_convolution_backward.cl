// Gradient of causal_convolution.cl. With s the value before SiLU, recomputed from x, and ds[t] = dy[t] SiLU'(s[t]):
//   dx[t] = sum_k weight[k] ds[t + WIDTH - 1 - k]
//   dweight[k] = sum_t ds[t] x[t - (WIDTH - 1) + k],  dbias = sum_t ds[t]
//
// Legend     S steps, I channels, WIDTH taps (a define), T = ceil(S / span), the argument `spans`
// Work-group any; global {ceil(I / LANES), T, batch}. A work-item owns LANES channels for `span` steps; it looks
//            WIDTH - 1 steps past its end, whose ds it computes again.
// Sums       weight_parts [batch * T, I, WIDTH] and bias_parts [batch * T, I] are overwritten; sum_rows adds their
//            rows.
// Private    4 * WIDTH vectors of LANES floats. Local: none.
// Expects    x, dx row slices, dx overwritten; y's gradient dy dense [B,S,I]; dx is not the memory of x or dy.
// Twin       the same text with LANES 1 and span 1.
kernel void causal_convolution_backward(
    const int steps, const int channels, const int span, const int spans,
    const global float *restrict x, const int x_offset, const int x_stride,
    const global float *restrict weight,
    const global float *restrict bias,
    const global float *restrict dy,
    global float *restrict dx, const int dx_offset, const int dx_stride,
    global float *restrict weight_parts,
    global float *restrict bias_parts
) {
    const int channel = get_global_id(0) * LANES;
    const int first = get_global_id(1) * span;
    if (channel >= channels || first >= steps) return;
    const int end = min(first + span, steps);
    const int count = min(LANES, channels - channel);
    const size_t first_row = get_global_id(2) * (size_t)steps;
    x += first_row * x_stride + x_offset + channel;
    dx += first_row * dx_stride + dx_offset + channel;
    dy += first_row * channels + channel;

    lanes taps[WIDTH], window[WIDTH], slopes[WIDTH], d_taps[WIDTH];
    #pragma unroll
    for (int k = 0; k < WIDTH; k++) {
        taps[k] = gather_lanes(weight + channel * WIDTH + k, WIDTH, count);
        const int t = first - WIDTH + k;
        window[k] = t < 0 ? (lanes)0.0f : load_lanes(x + (size_t)max(t, 0) * x_stride, count);
        slopes[k] = d_taps[k] = 0.0f;
    }
    const lanes offset = load_lanes(bias + channel, count);
    lanes d_offset = 0.0f;
    for (int t = first; t < end + WIDTH - 1; t++) {
        #pragma unroll
        for (int k = 0; k < WIDTH - 1; k++) {
            window[k] = window[k + 1];
            slopes[k] = slopes[k + 1];
        }
        slopes[WIDTH - 1] = 0.0f;
        if (t < steps) {
            window[WIDTH - 1] = load_lanes(x + (size_t)t * x_stride, count);
            lanes sum = offset;
            #pragma unroll
            for (int k = 0; k < WIDTH; k++) sum += taps[k] * window[k];
            slopes[WIDTH - 1] = load_lanes(dy + (size_t)t * channels, count) * silu_slope(sum, sigmoid(sum));
        }
        if (t < end) {
            #pragma unroll
            for (int k = 0; k < WIDTH; k++) d_taps[k] += slopes[WIDTH - 1] * window[k];
            d_offset += slopes[WIDTH - 1];
        }
        if (t - first >= WIDTH - 1) {
            lanes sum = 0.0f;
            #pragma unroll
            for (int k = 0; k < WIDTH; k++) sum += taps[k] * slopes[WIDTH - 1 - k];
            store_lanes(sum, dx + (size_t)(t - (WIDTH - 1)) * dx_stride, count);
        }
    }
    const size_t part = (get_global_id(2) * spans + get_global_id(1)) * channels + channel;
    #pragma unroll
    for (int k = 0; k < WIDTH; k++) scatter_lanes(d_taps[k], weight_parts + part * WIDTH + k, WIDTH, count);
    store_lanes(d_offset, bias_parts + part, count);
}
