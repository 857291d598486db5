// Loss of binary cells and its gradient, over the cells that are not known:
//   p = sigmoid(x[r, j]),  loss[r] = w sum_j l(p, y[r, j]),  x[r, j] <- w dl/dx
// with l the cross-entropy, or |p - y| where ABSOLUTE is defined; w = weights[r / steps].
//
// Legend     rows = batch * steps, width cells of a row
// Work-group GROUP work-items own ROWS rows, one after the other; global {ceil(rows / ROWS) * GROUP}. CPU: GROUP 1,
//            LANES 16, ROWS 16 or so; GPU: GROUP 64, LANES 1, ROWS 1.
// Local      GROUP * 4 bytes
// Expects    cells, targets, known dense [rows, width]; losses [rows]. NaN in a free cell: loss and slope NaN.
// Twin       the same text with LANES 1 and GROUP 1.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void binary_cross_entropy(
    const int rows, const int width, const int steps,
    global float *restrict cells,
    const global float *restrict targets,
    const global float *restrict known,
    const global float *restrict weights,
    global float *restrict losses
) {
    local float scratch[GROUP];
    const int me = get_local_id(0);
    const int first = get_group_id(0) * ROWS;
    const int end = min(first + ROWS, rows);
    for (int row = first; row < end; row++) {
        const size_t start = (size_t)row * width;
        const float weight = weights[row / steps];
        lanes sum = 0.0f;
        for (int j = me * LANES; j < width; j += GROUP * LANES) {
            const int count = width - j;
            const lanes x = load_lanes(cells + start + j, count);
            const lanes y = load_lanes(targets + start + j, count);
            const lanes given = load_lanes_or(known + start + j, count, 1.0f);
            const lanes p = sigmoid(x);
#ifdef ABSOLUTE
            const lanes q = sigmoid(-x);
            const lanes loss = y > 0.5f ? q : p;
            const lanes slope = (y > 0.5f ? (lanes)-1.0f : (lanes)1.0f) * (p * q);
#else
            const lanes loss = softplus(y > 0.5f ? -x : x);
            const lanes slope = y > 0.5f ? -sigmoid(-x) : p;
#endif
            // The weight is far below 1: without it a row of great losses would overflow.
            sum += given > 0.5f ? (lanes)0.0f : weight * loss;
            store_lanes(given > 0.5f ? (lanes)0.0f : weight * slope, cells + start + j, count);
        }
        const float total = group_sum(sum_lanes(sum), scratch);
        if (me == 0) losses[row] = total;
    }
}
