// Draws a token for every masked position from softmax(logits / temperature) restricted to top-p. See TokenDraw.swift.
//
// Mapping: one work-item per position; global size B * L, any local size. Local memory: none.
// Scratch: weights, B * L * padded_ids floats, padded_ids the least multiple of 16 that holds the ids.
// The weights of forbidden ids and of the padding are 0, so that every later pass runs over whole vectors.
// Mirrors ReferenceBackend/TokenDraw.swift.

kernel void token_draw(global const float *logits, global const int *tokens, global const int *allowed,
                       global const int *step, global int *candidates, global float *confidence,
                       global int *near_ties, global float *all_weights, int length, int ids, int padded_ids,
                       float temperature, float top_p, int mask_token) {
    const int index = get_global_id(0);
    const int token = tokens[index];
    candidates[index] = token;
    confidence[index] = 1.0f;
    if (token != mask_token) return;

    global const float *row = logits + (size_t)index * ids;
    global float *weights = all_weights + (size_t)index * padded_ids;
    float16 running = -INFINITY;
    int16 broken = 0;
    for (int id = 0; id < padded_ids; id += 16) {
        const float16 x = load_logits(row, allowed, id, ids);
        running = fmax(running, x);
        broken |= isnan(x);
    }
    const float largest = max_lanes(running);
    confidence[index] = 0.0f;
    near_ties[index] = 0;
    if (any_lane(broken) || !isfinite(largest)) return;

    // At temperature 0 the greatest logit wins, and the weights at 1 say how sure it is; close to 0 the scale must stay finite.
    const bool is_random = temperature > 0.0f;
    const float scale = is_random ? fmin(1.0f / temperature, FLT_MAX) : 1.0f;
    float16 sums = 0.0f;
    for (int id = 0; id < padded_ids; id += 16) {
        const float16 x = load_logits(row, allowed, id, ids);
        const float16 w = select(exp((x - largest) * scale), (float16)0.0f, x == -INFINITY);
        store16(w, 0, weights + id);
        sums += w;
    }
    float mass = sum_lanes(sums);
    bool is_near = false;
    if (is_random && top_p < 1.0f) mass = restrict_to_top(weights, padded_ids, mass, top_p, &is_near);

    const float wanted = unit_draw(step_draw(step, index / length, index % length, PURPOSE_TOKEN)) * mass;
    float cumulative = 0.0f;
    int chosen = -1, last = -1;
    for (int id = 0; id < ids; id++) {
        const float w = weights[id];
        if (w <= 0.0f) continue;
        if (!is_random) {
            if (chosen < 0 && row[id] == largest) chosen = id;
            else is_near = is_near || 1.0f - w < NEAR_TIE;
            continue;
        }
        cumulative += w;
        last = id;
        is_near = is_near || (fabs(cumulative - wanted) < NEAR_TIE * mass && cumulative < mass);
        if (cumulative > wanted) {
            chosen = id;
            break;
        }
    }
    // Rounding may leave the sum below a draw close to 1.
    chosen = chosen < 0 ? last : chosen;
    candidates[index] = chosen;
    // A GPU's division may round above 1, which reveal_confidence does not expect.
    confidence[index] = fmin(weights[chosen] / mass, 1.0f);
    near_ties[index] = is_near;
}
