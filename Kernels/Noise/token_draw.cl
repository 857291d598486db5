// Draws a token for every masked position from softmax(logits / temperature) restricted to top-p. See TokenDraw.swift.
//
// Mapping: one work-item per position; global size B * L, any local size. Local memory: none.
// Scratch: weights, B * L * padded_ids floats, padded_ids the least multiple of 16 that holds the ids.
// The weights of forbidden ids and of the padding are 0, so that every later pass runs over whole vectors.
// Mirrors ReferenceBackend/TokenDraw.swift.

#define NEAR_TIE 1e-5f

static inline float sum_of(float16 v) {
    const float8 a = v.lo + v.hi;
    const float4 b = a.lo + a.hi;
    const float2 c = b.lo + b.hi;
    return c.x + c.y;
}

static inline float largest_of(float16 v) {
    const float8 a = fmax(v.lo, v.hi);
    const float4 b = fmax(a.lo, a.hi);
    const float2 c = fmax(b.lo, b.hi);
    return fmax(c.x, c.y);
}

// Whether any lane is set; the built-in is slow on some CPU drivers.
static inline bool any_lane(int16 v) {
    const int8 a = v.lo | v.hi;
    const int4 b = a.lo | a.hi;
    const int2 c = b.lo | b.hi;
    return (c.x | c.y) != 0;
}

// Logits ids ... ids + 15 of a row; -inf for forbidden ids and beyond the end.
static inline float16 load_logits(global const float *row, global const int *allowed, int id, int ids) {
    if (id + 16 <= ids)
        return select((float16)(-INFINITY), vload16(0, row + id), vload16(0, allowed + id) != 0);
    float values[16];
    for (int i = 0; i < 16; i++) values[i] = id + i < ids && allowed[id + i] ? row[id + i] : -INFINITY;
    return vload16(0, values);
}

// Sum of the weights that are at least `cut`.
static inline float mass_from(global const float *weights, int padded_ids, float cut) {
    float16 sum = 0.0f;
    for (int id = 0; id < padded_ids; id += 16) {
        const float16 w = vload16(0, weights + id);
        sum += select((float16)0.0f, w, w >= cut);
    }
    return sum_of(sum);
}

// The greatest cut whose mass reaches `wanted`. Weights lie in [0, 1], where floats are ordered as their bits are.
static inline float find_cut(global const float *weights, int padded_ids, float wanted) {
    uint low = 0u, high = 0x3F800000u;
    for (int i = 0; i < 30; i++) {
        const uint middle = low + (high - low + 1u) / 2u;
        if (mass_from(weights, padded_ids, as_float(middle)) >= wanted) low = middle;
        else high = middle - 1u;
    }
    return as_float(low);
}

// Sets to 0 every weight outside the top-p set; returns the mass that stays. Equal weights enter by rising id.
static inline float restrict_to_top(global float *weights, int padded_ids, float sum, float top_p, bool *is_near) {
    const float wanted = top_p * sum;
    const float cut = find_cut(weights, padded_ids, wanted);
    float mass = mass_from(weights, padded_ids, as_float(as_uint(cut) + 1u));
    *is_near = fabs(mass - wanted) < NEAR_TIE * sum;
    for (int id = 0; id < padded_ids; id++) {
        const float w = weights[id];
        if (w > cut) continue;
        if (w == cut && mass < wanted && w > 0.0f) {
            mass += w;
            *is_near = *is_near || fabs(mass - wanted) < NEAR_TIE * sum;
        } else {
            weights[id] = 0.0f;
        }
    }
    return mass;
}

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
    const float largest = largest_of(running);
    confidence[index] = 0.0f;
    if (any_lane(broken) || !isfinite(largest)) return;

    // At temperature 0 the lowest id with the greatest logit has all the weight.
    const float scale = temperature > 0.0f ? 1.0f / temperature : 0.0f;
    float16 sums = 0.0f;
    for (int id = 0; id < padded_ids; id += 16) {
        const float16 x = load_logits(row, allowed, id, ids);
        const float16 w = temperature > 0.0f ? exp((x - largest) * scale)
                                             : select((float16)0.0f, (float16)1.0f, x == largest);
        vstore16(select(w, (float16)0.0f, x == -INFINITY), 0, weights + id);
        sums += select(w, (float16)0.0f, x == -INFINITY);
    }
    float mass = sum_of(sums);
    bool is_near = false;
    if (temperature > 0.0f && top_p < 1.0f) mass = restrict_to_top(weights, padded_ids, mass, top_p, &is_near);

    const uint draw = step_draw(step, index / length, index % length, PURPOSE_TOKEN);
    const float wanted = temperature > 0.0f ? unit_draw(draw) * mass : 0.0f;
    float cumulative = 0.0f;
    int chosen = -1, last = -1;
    for (int id = 0; id < ids; id++) {
        const float w = weights[id];
        if (w <= 0.0f) continue;
        cumulative += w;
        last = id;
        is_near = is_near || (temperature > 0.0f && fabs(cumulative - wanted) < NEAR_TIE * mass && cumulative < mass);
        if (cumulative > wanted) {
            chosen = id;
            break;
        }
    }
    // Rounding may leave the sum below a draw close to 1.
    chosen = chosen < 0 ? last : chosen;
    candidates[index] = chosen;
    confidence[index] = temperature > 0.0f ? weights[chosen] / mass : 1.0f;
    near_ties[index] += is_near;
}
