// Selective scan, the plain twin of selective_scan_serial.cl and selective_scan_parallel.cl: the equations as they
// stand, built-in functions, one state after the other.
//
// Work-group any; global {I, batch}. A work-item owns one channel of one sample for all steps.
// Private    N floats. Local: none.
// Expects    the arguments of selective_scan_serial.cl, in the same order.
kernel void selective_scan_naive(
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
    const int channel = get_global_id(0);
    const int sample = get_global_id(1);

    float state[N];
    for (int n = 0; n < N; n++) {
#ifdef CARRY_STATE
        state[n] = initial_state[((size_t)sample * channels + channel) * N + n];
#else
        state[n] = 0.0f;
#endif
    }
    for (int t = 0; t < steps; t++) {
        const size_t row = (size_t)sample * steps + t;
        const float input = u[row * channels + channel];
        const float raw = dt[row * channels + channel];
        const float delta = raw > 20.0f ? raw : log1p(exp(raw));
        float sum = skip[channel] * input;
        for (int n = 0; n < N; n++) {
            state[n] = exp(-delta * exp(a_log[channel * N + n])) * state[n]
                + delta * b[b_offset + row * b_stride + n] * input;
            sum += c[c_offset + row * c_stride + n] * state[n];
        }
        const float gate = z[z_offset + row * z_stride + channel];
        y[row * channels + channel] = sum * gate / (1.0f + exp(-gate));
    }
#ifdef CARRY_STATE
    for (int n = 0; n < N; n++) final_state[((size_t)sample * channels + channel) * N + n] = state[n];
#endif
}
