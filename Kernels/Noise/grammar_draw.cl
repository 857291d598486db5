// The two kernels of a grammar draw that know ids: what each class weighs at a position, and which id of the class that
// was drawn the position gets. grammar_path.cl runs between them. See GrammarDraw.swift.
//
// Mapping: one work-item per position; global size B * padded, any local size. Local memory: none.
// Scratch: weights, B * padded * padded_ids floats, the weights of ids relative to their class;
//          mass_m and mass_e, B * padded * class_count each, the weights of classes as wide floats.
// grammar_masses leaves confidence 0 where a position has no distribution. Mirrors ReferenceBackend/GrammarDraw.swift.

// See GrammarDraw.topPPenalty and GrammarDraw.leastLogWeight.
#define TOP_P_PENALTY 16384
#define LEAST_LOG_WEIGHT -8192.0f

// log2 of the weights of ids id ... id + 15, the greatest of the row being 0; -inf for ids that are never drawn.
static inline float16 log_weights(global const float *row, global const int *classes, int id, int ids, float largest,
                                  float scale) {
    const float16 x = load_logits(row, classes, id, ids);
    return select(fmax((x - largest) * scale, (float16)LEAST_LOG_WEIGHT), x, x == -INFINITY);
}

static inline float16 equal_logarithms(global const int *classes, int id, int ids) {
    float values[16];
    for (int i = 0; i < 16; i++) values[i] = id + i < ids && classes[id + i] != 0 ? 0.0f : -INFINITY;
    return vload16(0, values);
}

// A logarithm t <= 0 of a weight is kept as it is, outside the top-p set as 1 - t, which is at least 1.
static inline float16 kept_logarithm(float16 t, int16 is_outside) {
    return select(t, 1.0f - t, is_outside && t > -INFINITY);
}

// Restricts a row to top-p: weights[id] is positive for the ids of the set and 0 for the others.
static inline void mark_top(global const float *row, global const int *classes, global float *weights, int ids,
                            int padded_ids, float largest, float scale, float top_p, bool *is_near) {
    float16 sums = 0.0f;
    for (int id = 0; id < padded_ids; id += 16) {
        const float16 w = exp2_nonpositive(log_weights(row, classes, id, ids, largest, scale));
        store16(w, 0, weights + id);
        sums += w;
    }
    restrict_to_top(weights, padded_ids, sum_lanes(sums), top_p, is_near);
}

// The exponent of each class: of its greatest weight, or of the greatest outside the top-p set if none lies inside.
static inline void find_exponents(global const float *logarithms, global const int *classes, global float *mass_m,
                                  global int *mass_e, int ids, int class_count) {
    for (int c = 0; c < class_count; c++) mass_m[c] = -INFINITY;
    for (int id = 0; id < ids; id++) {
        const float t = logarithms[id];
        mass_m[classes[id]] = fmax(mass_m[classes[id]], t > 0.0f ? 1.0f - t - TOP_P_PENALTY : t);
    }
    for (int c = 0; c < class_count; c++) {
        const float t = mass_m[c];
        mass_e[c] = t == -INFINITY ? WIDE_ZERO_EXPONENT : (int)ceil(t);
        mass_m[c] = 0.0f;
    }
}

// The exponents that make weights of ids id ... id + 15 relative to their classes; +inf where the weight is to be 0,
// because the id is never drawn, or lies outside the top-p set while its class has ids inside.
static inline float16 load_exponents(global const float *logarithms, global const int *classes,
                                     global const int *mass_e, int id, int ids) {
    float exponents[16];
    for (int i = 0; i < 16; i++) {
        const int e = id + i < ids ? mass_e[classes[id + i]] : WIDE_ZERO_EXPONENT;
        const bool is_class_outside = e <= -TOP_P_PENALTY;
        const bool is_zero = e == WIDE_ZERO_EXPONENT || (logarithms[id + i] > 0.0f && !is_class_outside);
        exponents[i] = is_zero ? INFINITY : (float)(is_class_outside ? e + TOP_P_PENALTY : e);
    }
    return vload16(0, exponents);
}

kernel void grammar_masses(global const float *logits, global const int *tokens, global const int *classes,
                           global int *candidates, global float *confidence, global int *near_ties,
                           global float *all_weights, global float *mass_m, global int *mass_e, int padded,
                           int length, int ids, int padded_ids, int class_count, float temperature, float top_p,
                           int mask_token) {
    const int index = get_global_id(0);
    const int token = tokens[index];
    candidates[index] = token;
    confidence[index] = token == mask_token ? 0.0f : 1.0f;
    if (token != mask_token || index % padded >= length) return;

    global const float *row = logits + (size_t)index * ids;
    global float *weights = all_weights + (size_t)index * padded_ids;
    mass_m += (size_t)index * class_count;
    mass_e += (size_t)index * class_count;
    float16 running = -INFINITY;
    int16 broken = 0;
    for (int id = 0; id < padded_ids; id += 16) {
        const float16 x = load_logits(row, classes, id, ids);
        running = fmax(running, x);
        broken |= isnan(x);
    }
    const float largest = max_lanes(running);
    const bool is_defined = !any_lane(broken) && isfinite(largest);
    confidence[index] = is_defined ? 1.0f : 0.0f;

    const bool is_restricted = is_defined && temperature > 0.0f && top_p < 1.0f;
    const float scale = temperature > 0.0f ? fmin(LOG2E / temperature, FLT_MAX) : LOG2E;
    bool is_near = false;
    if (is_restricted) mark_top(row, classes, weights, ids, padded_ids, largest, scale, top_p, &is_near);
    near_ties[index] = (near_ties[index] & 2) | (is_near ? 2 : 0);

    for (int id = 0; id < padded_ids; id += 16) {
        // Without a distribution every id that has a class weighs the same.
        const float16 t = is_defined ? log_weights(row, classes, id, ids, largest, scale)
                                     : equal_logarithms(classes, id, ids);
        const int16 is_outside = is_restricted ? vload16(0, weights + id) == 0.0f : (int16)0;
        store16(kept_logarithm(t, is_outside), 0, weights + id);
    }
    find_exponents(weights, classes, mass_m, mass_e, ids, class_count);
    for (int id = 0; id < padded_ids; id += 16) {
        const float16 t = vload16(0, weights + id);
        const float16 exponents = load_exponents(weights, classes, mass_e, id, ids);
        store16(exp2_nonpositive(select(t, 1.0f - t, t > 0.0f) - exponents), 0, weights + id);
    }
    for (int id = 0; id < ids; id++) {
        const float w = weights[id], mass = mass_m[classes[id]];
        mass_m[classes[id]] = temperature > 0.0f ? mass + w : fmax(mass, w);
    }
    for (int c = 0; c < class_count; c++) wide_store(wide_of(mass_m[c], mass_e[c]), mass_m, mass_e, c);
}

// Expects the class of each masked position in candidates, 0 if the sample has none, the probability of that class in
// confidence, and in rests the place of the draw in the class's share, in [0, 1).
kernel void grammar_tokens(global const int *tokens, global const int *classes, global int *candidates,
                           global float *confidence, global int *near_ties, global const float *all_weights,
                           global const float *rests, int padded, int length, int ids, int padded_ids,
                           float temperature, int mask_token) {
    const int index = get_global_id(0);
    if (tokens[index] != mask_token || index % padded >= length) return;
    const int drawn = candidates[index];
    const float class_probability = confidence[index];
    candidates[index] = mask_token;
    confidence[index] = 0.0f;
    if (drawn == 0) return;

    global const float *weights = all_weights + (size_t)index * padded_ids;
    float mass = 0.0f, largest = 0.0f;
    for (int id = 0; id < ids; id++) {
        const float w = classes[id] == drawn ? weights[id] : 0.0f;
        mass += w;
        largest = fmax(largest, w);
    }
    const bool is_random = temperature > 0.0f;
    const float wanted = rests[index] * mass, tie = NEAR_TIE * mass / class_probability;
    float cumulative = 0.0f;
    int chosen = -1;
    bool is_near = false;
    for (int id = 0; id < ids; id++) {
        const float w = classes[id] == drawn ? weights[id] : 0.0f;
        if (w <= 0.0f) continue;
        // Rounding may leave the sum below a draw close to 1: then the last id is taken.
        const bool is_here = is_random ? cumulative <= wanted : w == largest && chosen < 0;
        if (is_here) chosen = id;
        else if (!is_random && largest - w < NEAR_TIE * largest) is_near = true;
        is_near = is_near || (is_random && cumulative > 0.0f && fabs(cumulative - wanted) < tie);
        cumulative += w;
    }
    candidates[index] = chosen;
    // A GPU's division may round above 1, which reveal_confidence does not expect.
    confidence[index] = fmin(class_probability * (weights[chosen] / mass), 1.0f);
    near_ties[index] |= is_near;
}
