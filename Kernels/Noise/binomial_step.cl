// A draw of binary cells with a probability for each pair (current, estimate). See BinomialStep.swift.
//
// Mapping: one work-item per cell; global size B * S * C. Local memory: none. output may be current.
// Mirrors ReferenceBackend/BinomialStep.swift.

kernel void binomial_step(global const float *current, global const float *estimate, global const float *known,
                          global const int *thresholds, global const int *step, global float *output, int steps,
                          int width, int planes, uint purpose) {
    const int index = get_global_id(0);
    const int b = index / (steps * width), cell = index % (steps * width);
    const float now = current[index], clean = estimate[index];
    if (known[index] > 0.5f) {
        output[index] = now;
        return;
    }
    const int plane = cell % width / (width / planes);
    const int row = (b * planes + plane) * 4 + (now > 0.5f ? 2 : 0) + (clean > 0.5f ? 1 : 0);
    const uint draw = step_draw(step, b, cell, purpose);
    const float next = below(draw, thresholds[2 * row], thresholds[2 * row + 1]) ? 1.0f : 0.0f;
    output[index] = isnan(now) || isnan(clean) ? NAN : next;
}
