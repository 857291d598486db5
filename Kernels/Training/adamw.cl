// One AdamW step with decoupled decay, the gradient's clipping factor and the moving average of the weights:
//   g = clip * gradient,  m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2
//   w = w - rate * decay * w - rate * (m * c1) / (sqrt(v * c2) + eps),  ema = e ema + (1 - e) w,  gradient = 0
//
// Work-group any; global {ceil(count / LANES)}. A work-item owns LANES elements. Private, local: nothing.
// Expects    schedule, 7 floats on the device so that a recorded step can be replayed: rate, b1, b2, eps, c1 = 1 / (1
//            - b1^step), c2 = 1 / (1 - b2^step), e. clip points at one float (clip_factor's out). decay is 0 for
//            norms, biases, A_log and D. A NaN gradient makes that element's weight and moments NaN.
// Twin       the same text with LANES 1.
kernel void adamw(
    const int count, const float decay,
    const global float *restrict schedule,
    const global float *restrict clip,
    global float *restrict gradient,
    global float *restrict weight,
    global float *restrict first_moment,
    global float *restrict second_moment,
    global float *restrict average
) {
    const int i = get_global_id(0) * LANES;
    if (i >= count) return;
    const int n = min(LANES, count - i);
    const float rate = schedule[0], b1 = schedule[1], b2 = schedule[2], epsilon = schedule[3];
    const float c1 = schedule[4], c2 = schedule[5], e = schedule[6];
    const lanes g = clip[0] * load_lanes(gradient + i, n);
    const lanes m = b1 * load_lanes(first_moment + i, n) + (1.0f - b1) * g;
    const lanes v = b2 * load_lanes(second_moment + i, n) + (1.0f - b2) * g * g;
    lanes w = load_lanes(weight + i, n);
    w -= rate * decay * w + rate * (m * c1) / (sqrt(v * c2) + epsilon);
    store_lanes(0.0f, gradient + i, n);
    store_lanes(m, first_moment + i, n);
    store_lanes(v, second_moment + i, n);
    store_lanes(w, weight + i, n);
    store_lanes(e * load_lanes(average + i, n) + (1.0f - e) * w, average + i, n);
}
