// dqkv from dy, the backward pass of attention with its saved lse: the simple twin of attention_backward_panels.
//
//   p = exp(s - lse)   delta = sum of dy y   ds = p (dy v^T - delta)
//   dq = ds k / sqrt(d)   dk = ds^T q / sqrt(d)   dv = p^T dy
//
// with dq and dk turned back by the rotary angles. Work-item (position, head, b) owns one row of dq, or one row of dk
// and of dv, and meets the other positions in ascending order. Global size exactly (S, heads, B), any local size. No
// local memory.
// Preconditions: d even, d <= HEAD_WIDTH, a define; rotation is the table of rotary.clh. The two kernels together write
// all of dqkv.

static inline float dot_product(global const float *x, global const float *y, int count) {
    float sum = 0.0f;
    for (int i = 0; i < count; ++i) sum += x[i] * y[i];
    return sum;
}

static inline float private_product(const float *x, const float *y, int count) {
    float sum = 0.0f;
    for (int i = 0; i < count; ++i) sum += x[i] * y[i];
    return sum;
}

kernel void attention_backward_queries_naive(global const float *qkv, global const float *rotation,
                                             global const float *y, global const float *dy, global const float *lse,
                                             global float *dqkv, int sequence, int heads, int width) {
    const int s = get_global_id(0), head = get_global_id(1), b = get_global_id(2);
    const int model = heads * width;
    const float scale = 1.0f / sqrt((float)width);
    const size_t row = ((size_t)b * sequence + s) * model + head * width;
    global const float *sample = qkv + (size_t)b * sequence * 3 * model + head * width;
    global const float *turn = rotation + (size_t)s * width;
    lse += ((size_t)b * heads + head) * sequence;

    float query[HEAD_WIDTH], key[HEAD_WIDTH], gradient[HEAD_WIDTH];
    turn_pairs(sample + (size_t)s * 3 * model, turn, width / 2, scale, query);
    for (int i = 0; i < width; ++i) gradient[i] = 0.0f;
    const float delta = dot_product(dy + row, y + row, width);
    for (int t = 0; t < sequence; ++t) {
        global const float *source = sample + (size_t)t * 3 * model + model;
        turn_pairs(source, rotation + (size_t)t * width, width / 2, 1.0f, key);
        const float weight = exp(private_product(query, key, width) - lse[s]);
        const float slope = weight * (dot_product(dy + row, source + model, width) - delta);
        for (int i = 0; i < width; ++i) gradient[i] += slope * key[i];
    }
    turn_pairs_back(gradient, turn, width / 2, scale, dqkv + ((size_t)b * sequence + s) * 3 * model + head * width);
}

kernel void attention_backward_keys_naive(global const float *qkv, global const float *rotation,
                                          global const float *y, global const float *dy, global const float *lse,
                                          global float *dqkv, int sequence, int heads, int width) {
    const int t = get_global_id(0), head = get_global_id(1), b = get_global_id(2);
    const int model = heads * width;
    const float scale = 1.0f / sqrt((float)width);
    global const float *sample = qkv + (size_t)b * sequence * 3 * model + head * width;
    global const float *value = sample + (size_t)t * 3 * model + 2 * model;
    global const float *turn = rotation + (size_t)t * width;
    lse += ((size_t)b * heads + head) * sequence;

    float query[HEAD_WIDTH], key[HEAD_WIDTH], key_gradient[HEAD_WIDTH], value_gradient[HEAD_WIDTH];
    turn_pairs(value - model, turn, width / 2, 1.0f, key);
    for (int i = 0; i < width; ++i) key_gradient[i] = value_gradient[i] = 0.0f;
    for (int s = 0; s < sequence; ++s) {
        const size_t row = ((size_t)b * sequence + s) * model + head * width;
        turn_pairs(sample + (size_t)s * 3 * model, rotation + (size_t)s * width, width / 2, scale, query);
        const float weight = exp(private_product(query, key, width) - lse[s]);
        const float delta = dot_product(dy + row, y + row, width);
        const float slope = weight * (dot_product(dy + row, value, width) - delta);
        for (int i = 0; i < width; ++i) {
            value_gradient[i] += weight * dy[row + i];
            key_gradient[i] += slope * query[i];
        }
    }
    global float *target = dqkv + ((size_t)b * sequence + t) * 3 * model + model + head * width;
    turn_pairs_back(key_gradient, turn, width / 2, 1.0f, target);
    for (int i = 0; i < width; ++i) target[model + i] = value_gradient[i];
}
