// Binary cells drawn from logits: 1 where u < sigmoid(logit / temperature); temperature 0 is the threshold 1/2. See
// CellDraw.swift.
//
// Mapping: one work-item per cell; global size B * S * C. Local memory: none.
// Mirrors ReferenceBackend/CellDraw.swift.

kernel void cell_draw(global const float *logits, global const int *step, global float *estimate,
                      global int *near_ties, int cells, float temperature) {
    const int index = get_global_id(0);
    const float logit = logits[index];
    const bool draws = temperature > 0.0f;
    const float unit = draws ? unit_draw(step_draw(step, index / cells, index % cells, PURPOSE_ROLL)) : 0.5f;
    const float probability = 1.0f / (1.0f + exp(-(draws ? logit / temperature : logit)));
    // A threshold takes what lies on it; a draw of 0 must not turn on a cell that is certainly off.
    const bool on = draws ? unit < probability : logit >= 0.0f;
    estimate[index] = isnan(logit) ? NAN : on ? 1.0f : 0.0f;
    if (fabs(probability - unit) < NEAR_TIE) near_ties[index] = 1;
}
