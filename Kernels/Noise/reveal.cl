// Turns some masked positions into their candidates. See Reveal.swift for the rules.
//
// reveal_independent, reveal_scheduled: one work-item per position; global size B * padded.
// reveal_confidence: a work-group of GROUP work-items per sample, each of which owns a run of positions; global {GROUP * B};
// local memory GROUP * 8 bytes.
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

// How many open positions of the sample have at least this confidence; `end` ends the work-item's share of them.
// Inlined at once: a function that is called twice with the same local array makes PoCL 3.1 share it among all groups.
static inline __attribute__((always_inline)) int count_from(
    global const int *tokens, global const float *confidence, int begin, int end, int mask_token, float cut,
    local float *scratch
) {
    int count = 0;
    for (int l = begin; l < end; l++) count += tokens[l] == mask_token && confidence[l] >= cut;
    // Floats count exactly up to 2^24.
    return (int)group_sum(count, scratch);
}

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void reveal_confidence(global int *tokens, global const int *candidates, global const int *step,
                       global const float *confidence, int padded, int length, int mask_token) {
    local float scratch[GROUP];
    local int ties[GROUP];
    const int me = get_local_id(0), start = (int)get_group_id(0) * padded, share = ceil_div(length, GROUP);
    const int begin = min(me * share, length), end = min(begin + share, length);
    tokens += start;
    candidates += start;
    confidence += start;
    const int wanted = step[STEP_REVEAL_COUNT];
    // Confidences lie in [0, 1], where floats are ordered as their bits are: find the greatest cut that lets enough in.
    uint low = 0u, high = 0x3F800000u;
    for (int i = 0; i < 30; i++) {
        const uint middle = low + (high - low + 1u) / 2u;
        if (count_from(tokens, confidence, begin, end, mask_token, as_float(middle), scratch) >= wanted) low = middle;
        else high = middle - 1u;
    }
    const float cut = as_float(low);
    int room = wanted - count_from(tokens, confidence, begin, end, mask_token, as_float(low + 1u), scratch);
    // Of those at the cut the first ones go in.
    ties[me] = 0;
    for (int l = begin; l < end; l++) ties[me] += tokens[l] == mask_token && confidence[l] == cut;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int item = 0; item < me; item++) room -= ties[item];
    for (int l = begin; l < end; l++) {
        if (tokens[l] != mask_token || confidence[l] < cut) continue;
        if (confidence[l] == cut && room-- <= 0) continue;
        tokens[l] = candidates[l];
    }
}
