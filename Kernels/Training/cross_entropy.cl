// Softmax and cross-entropy of selected positions, with the gradient:
//   loss[r] = w (log sum_j exp(x[r, j]) - x[r, target]),  dx[r, j] = w (softmax(x[r])_j - [j = target])
// where w = weights[r / steps] if selector[r] = selected; else loss[r] = 0 and dx[r] = 0, whatever x[r] holds.
// The three weightings differ in `weights` [batch] alone: mean has 1 / selected positions everywhere, elbo and reweighted
// have w(t_b) / (batch * steps).
//
// Legend     rows = batch * steps, V columns
// Work-group GROUP work-items own ROWS rows, one after the other; global {ceil(rows / ROWS) * GROUP}. CPU: GROUP 1,
//            LANES 16, ROWS 16 or so; GPU: GROUP 64, LANES 1, ROWS 1.
// Local      GROUP * 4 bytes
// Expects    logits dense [rows, V], overwritten by dlogits; targets, selector int32 [rows]; losses [rows].
//            NaN or +inf among a selected row's logits, all of them -inf, or a target outside 0..<V: loss and dlogits NaN.
// Twin       the same text with LANES 1 and GROUP 1.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void cross_entropy(
    const int rows, const int columns, const int steps,
    global float *restrict logits,
    const global int *restrict targets,
    const global int *restrict selector, const int selected,
    const global float *restrict weights,
    global float *restrict losses
) {
    local float scratch[GROUP];
    const int me = get_local_id(0);
    const int begin = me * LANES;
    const int first = get_group_id(0) * ROWS;
    const int end = min(first + ROWS, rows);
    for (int row = first; row < end; row++) {
        global float *source = logits + (size_t)row * columns;
        const int target = targets[row];
        const bool counts = selector[row] == selected;
        const bool known = target >= 0 && target < columns;
        // Whoever overwrites the target's logit also reads it.
        const bool owns = known ? target / LANES % GROUP == me : me == 0;
        const float chosen = known && owns ? source[target] : NAN;

        lanes greatest = -INFINITY;
        for (int j = begin; j < columns; j += GROUP * LANES)
            greatest = fmax(greatest, load_lanes_or(source + j, columns - j, -INFINITY));
        const float peak = group_max(max_lanes(greatest), scratch);

        lanes powers = 0.0f;
        for (int j = begin; j < columns; j += GROUP * LANES)
            powers += exp_nonpositive(load_lanes_or(source + j, columns - j, -INFINITY) - peak);
        const float sum = group_sum(sum_lanes(powers), scratch);

        const float weight = known ? weights[row / steps] : NAN;
        const float scale = weight / sum;
        for (int j = begin; j < columns; j += GROUP * LANES) {
            const lanes slope = scale * exp_nonpositive(load_lanes(source + j, columns - j) - peak);
            store_lanes(counts ? slope : (lanes)0.0f, source + j, columns - j);
        }
        if (counts && known && owns) source[target] -= weight;
        if (owns) losses[row] = counts ? weight * (log(sum) + (peak - chosen)) : 0.0f;
    }
}
