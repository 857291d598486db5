// The forward process: each token becomes [MASK] with a probability of its own. See Corrupt.swift.
//
// Mapping: one work-item per position; global size B * L. Local memory: none. Mirrors ReferenceBackend/Corrupt.swift.

kernel void corrupt(global const int *clean, global const int *thresholds, global const int *step, global int *noisy,
                    int length, int mask_token) {
    const int index = get_global_id(0);
    const int b = index / length;
    const uint draw = step_draw(step, b, index % length, PURPOSE_CORRUPT);
    noisy[index] = below(draw, thresholds[2 * index], thresholds[2 * index + 1]) ? mask_token : clean[index];
}
