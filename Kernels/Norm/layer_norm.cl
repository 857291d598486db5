// Layer normalisation of rows: y = (x - mean) / sqrt(variance + epsilon) * weight + bias, over D columns; see norm_row.clh.
//
// Work-group GROUP work-items own ROWS rows, one after the other; global {ceil(rows / ROWS) * GROUP}. CPU: GROUP 1,
//            LANES 16, ROWS 4 or so; GPU: GROUP 64 or more, LANES 1, ROWS 1.
// Local      GROUP * 4 bytes
// Expects    x, y dense [rows, D], D >= 1. A NaN or infinity makes its whole row NaN and no other.
// Twin       the same text with LANES 1 and GROUP 1; matmul_panels.cl with NORM normalises what it computes.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void layer_norm(
    const int rows, const int columns, const float epsilon,
    const global float *x,
    const global float *restrict weight,
    const global float *restrict bias,
    global result *y
) {
    local float scratch[GROUP];
    const int first = get_group_id(0) * ROWS;
    for (int row = first; row < min(first + ROWS, rows); row++) {
        const size_t start = (size_t)row * columns;
        normalise_row(x + start, columns, epsilon, weight, bias, y + start, scratch);
    }
}
