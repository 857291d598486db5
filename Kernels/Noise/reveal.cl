// Turns some masked positions into their candidates. See Reveal.swift for the rules.
//
// reveal_independent, reveal_scheduled: one work-item per position; global size B * padded.
// reveal_confidence: one work-item per sample; global size B. Local memory: none.
// Mirrors ReferenceBackend/Reveal.swift.

static inline bool is_open(global const int *tokens, int index, int padded, int length, int mask_token) {
    return index % padded < length && tokens[index] == mask_token;
}

kernel void reveal_independent(global int *tokens, global const int *candidates, global const int *step, int padded,
                               int length, int mask_token) {
    const int index = get_global_id(0);
    if (!is_open(tokens, index, padded, length, mask_token)) return;
    const uint draw = step_draw(step, index / padded, index % padded, PURPOSE_REVEAL);
    if (below(draw, step[STEP_THRESHOLD_LOW], step[STEP_THRESHOLD_HIGH])) tokens[index] = candidates[index];
}

kernel void reveal_scheduled(global int *tokens, global const int *candidates, global const int *step,
                             global const int *reveal_steps, int padded, int length, int mask_token) {
    const int index = get_global_id(0);
    if (is_open(tokens, index, padded, length, mask_token) && reveal_steps[index] == step[STEP_INDEX])
        tokens[index] = candidates[index];
}

// How many open positions of a sample have at least this confidence.
static inline int count_from(global const int *tokens, global const float *confidence, int length, int mask_token,
                      float cut) {
    int count = 0;
    for (int l = 0; l < length; l++) count += tokens[l] == mask_token && confidence[l] >= cut;
    return count;
}

kernel void reveal_confidence(global int *tokens, global const int *candidates, global const int *step,
                              global const float *confidence, int padded, int length, int mask_token) {
    const int start = (int)get_global_id(0) * padded;
    tokens += start;
    candidates += start;
    confidence += start;
    const int wanted = step[STEP_REVEAL_COUNT];
    // Confidences lie in [0, 1], where floats are ordered as their bits are: find the greatest cut that lets enough in.
    uint low = 0u, high = 0x3F800000u;
    for (int i = 0; i < 30; i++) {
        const uint middle = low + (high - low + 1u) / 2u;
        if (count_from(tokens, confidence, length, mask_token, as_float(middle)) >= wanted) low = middle;
        else high = middle - 1u;
    }
    const float cut = as_float(low);
    int room = wanted - count_from(tokens, confidence, length, mask_token, as_float(low + 1u));
    for (int l = 0; l < length; l++) {
        if (tokens[l] != mask_token || confidence[l] < cut) continue;
        if (confidence[l] == cut && room-- <= 0) continue;
        tokens[l] = candidates[l];
    }
}
