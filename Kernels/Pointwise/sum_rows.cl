// Column sums of a tall matrix, in two levels if it is very tall: out[p, j] = sum of x[r, j] over the rows r of part p.
//
// Work-group any; global {ceil(columns / LANES), ceil(rows / rows_per_part)}. A work-item owns LANES columns of one
//            part and adds its rows in ascending order, so that the result does not depend on the device.
// Private, local: nothing.
// Expects    x a row slice; out [parts, columns], added to with `accumulate`, else overwritten. The usual pair of
//            launches is rows_per_part near the root of `rows` into scratch, then one part into the gradient.
// Twin       the same text with LANES 1.
kernel void sum_rows(
    const int rows, const int columns, const int rows_per_part, const int accumulate,
    const global float *restrict x, const int x_offset, const int x_stride,
    global float *restrict out
) {
    const int column = get_global_id(0) * LANES;
    const int part = get_global_id(1);
    if (column >= columns) return;
    const int count = min(LANES, columns - column);
    x += x_offset + column;
    out += (size_t)part * columns + column;
    lanes sum = 0.0f;
    for (int row = part * rows_per_part; row < min((part + 1) * rows_per_part, rows); row++)
        sum += load_lanes(x + (size_t)row * x_stride, count);
    store_lanes(accumulate ? load_lanes(out, count) + sum : sum, out, count);
}
