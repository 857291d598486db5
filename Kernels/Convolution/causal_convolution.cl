// Causal depthwise convolution with bias and SiLU, x before the first step being zero:
//   y[b,t,i] = SiLU(bias[i] + sum_k weight[i,k] x[b, t - (WIDTH - 1) + k, i])
//
// Legend     S steps, I channels, WIDTH taps (a define, >= 1)
// Work-group any; global {ceil(I / LANES), ceil(S / span), batch}. A work-item owns LANES channels for `span` steps
//            and keeps the last WIDTH inputs in registers. CPU: LANES 16, span 16; GPU: LANES 1, a small span.
//            On a CPU it asks for the lines of the neighbour after the next, which no processor does whose rows are pages
//            apart: a quarter of its time.
// Private    2 * WIDTH vectors of LANES floats. Local: none.
// Expects    x a row slice (x_offset + row * x_stride + i); weight [I,1,WIDTH], bias [I]; y dense [B,S,I], not x's
//            memory.
// Twin       the same text with LANES 1 and span 1: one work-item per element.
kernel void causal_convolution(
    const int steps, const int channels, const int span,
    const global float *restrict x, const int x_offset, const int x_stride,
    const global float *restrict weight,
    const global float *restrict bias,
    global float *restrict y
) {
    const int channel = get_global_id(0) * LANES;
    const int first = get_global_id(1) * span;
    if (channel >= channels || first >= steps) return;
    const int count = min(LANES, channels - channel);
    const size_t first_row = get_global_id(2) * (size_t)steps;
    x += first_row * x_stride + x_offset + channel;
    y += first_row * channels + channel;

    lanes taps[WIDTH], window[WIDTH];
    #pragma unroll
    for (int k = 0; k < WIDTH; k++) {
        taps[k] = gather_lanes(weight + channel * WIDTH + k, WIDTH, count);
        const int t = first - WIDTH + k;
        window[k] = t < 0 ? (lanes)0.0f : load_lanes(x + (size_t)max(t, 0) * x_stride, count);
    }
    const lanes offset = load_lanes(bias + channel, count);
    for (int t = first; t < min(first + span, steps); t++) {
        #pragma unroll
        for (int k = 0; k < WIDTH - 1; k++) window[k] = window[k + 1];
        if (LANES > 1) {
            fetch_soon(x + (size_t)t * x_stride + 2 * LANES);
            fetch_to_write(y + (size_t)t * channels + 2 * LANES);
        }
        window[WIDTH - 1] = load_lanes(x + (size_t)t * x_stride, count);
        lanes sum = offset;
        #pragma unroll
        for (int k = 0; k < WIDTH; k++) sum += taps[k] * window[k];
        store_lanes(silu(sum), y + (size_t)t * channels, count);
    }
}
