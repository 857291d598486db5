// y = softmax(rotary(q) rotary(k)^T / sqrt(d)) v, unmasked; qkv [B, S, 3 D], y [B, S, D], d = D / heads: the simple
// twin of attention_panels and attention_tiles.
//
// Work-item (query, head, b) owns one row of y of one head and meets the keys in ascending order, rescaling its sum
// whenever the maximum grows (online softmax). Global size exactly (S, heads, B), any local size. No local memory.
// With LSE the natural log-sum-exp of the row's scores goes to lse [B, heads, S]; else that argument is unread.
// Preconditions: d even, d <= HEAD_WIDTH, a define; rotation is the table of rotary.clh.

kernel void attention_naive(global const float *qkv, global const float *rotation, global float *y, global float *lse,
                            int sequence, int heads, int width) {
    const int s = get_global_id(0), head = get_global_id(1), b = get_global_id(2);
    const int model = heads * width;
    global const float *sample = qkv + (size_t)b * sequence * 3 * model + head * width;
    float query[HEAD_WIDTH], key[HEAD_WIDTH], output[HEAD_WIDTH];
    const float scale = 1.0f / sqrt((float)width);
    turn_pairs(sample + (size_t)s * 3 * model, rotation + (size_t)s * width, width / 2, scale, query);
    for (int i = 0; i < width; ++i) output[i] = 0.0f;

    float peak = -INFINITY, total = 0.0f;
    for (int t = 0; t < sequence; ++t) {
        global const float *source = sample + (size_t)t * 3 * model + model;
        turn_pairs(source, rotation + (size_t)t * width, width / 2, 1.0f, key);
        float score = 0.0f;
        for (int i = 0; i < width; ++i) score += query[i] * key[i];
        const float greatest = fmax(peak, score);
        // A row of nothing but -inf so far keeps weight 0 instead of exp(-inf + inf).
        const float reference = greatest == -INFINITY ? 0.0f : greatest;
        const float decay = exp(peak - reference), weight = exp(score - reference);
        for (int i = 0; i < width; ++i) output[i] = output[i] * decay + weight * source[model + i];
        total = total * decay + weight;
        peak = greatest;
    }

    y += ((size_t)b * sequence + s) * model + head * width;
    for (int i = 0; i < width; ++i) y[i] = output[i] / total;
#ifdef LSE
    lse[((size_t)b * heads + head) * sequence + s] = peak + log(total);
#endif
}
