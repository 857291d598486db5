// Layer normalisation of rows: y = (x - mean) / sqrt(variance + epsilon) * weight + bias, over D columns.
//
// Work-group GROUP work-items own ROWS rows, one after the other; global {ceil(rows / ROWS) * GROUP}. CPU: GROUP 1,
//            LANES 16, ROWS 4 or so; GPU: GROUP 64 or more, LANES 1, ROWS 1.
// Accuracy   three passes over a row that stays in cache: mean, then the deviations' sum (which corrects the rounding
//            of the mean) and squares, then the output. The variance is the biased one.
// Local      GROUP * 4 bytes
// Expects    x, y dense [rows, D], D >= 1. A NaN or infinity makes its whole row NaN and no other.
// Twin       the same text with LANES 1 and GROUP 1.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void layer_norm(
    const int rows, const int columns, const float epsilon,
    const global float *x,
    const global float *restrict weight,
    const global float *restrict bias,
    global result *y
) {
    local float scratch[GROUP];
    const int begin = get_local_id(0) * LANES;
    const int first = get_group_id(0) * ROWS;
    const int end = min(first + ROWS, rows);
    for (int row = first; row < end; row++) {
        const global float *source = x + (size_t)row * columns;
        global result *target = y + (size_t)row * columns;

        const RowMoments moments = row_moments(source, columns, epsilon, scratch);
        for (int j = begin; j < columns; j += GROUP * LANES) {
            const int count = columns - j;
            const lanes normal = normalise(load_lanes(source + j, count), moments);
            store_result(normal * load_lanes(weight + j, count) + load_lanes(bias + j, count), target + j, count);
        }
    }
}
