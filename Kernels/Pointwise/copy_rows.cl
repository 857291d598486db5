// y = x, or y += x, between row slices of wider matrices: copy, add and gradient accumulation.
//
// Work-group any; global {ceil(columns / LANES), rows}. A work-item owns LANES columns of one row. Private, local:
//            nothing.
// Expects    x, y row slices: element (row, j) at offset + row * stride + j; y and x do not overlap. A dense array of
//            any length is a matrix of one row. Copied bit for bit, NaN included.
// Twin       the same text with LANES 1.
kernel void copy_rows(
    const int columns, const int accumulate,
    const global float *x, const int x_offset, const int x_stride,
    global float *y, const int y_offset, const int y_stride
) {
    const int column = get_global_id(0) * LANES;
    if (column >= columns) return;
    const int count = min(LANES, columns - column);
    const size_t row = get_global_id(1);
    const lanes value = load_lanes(x + x_offset + row * x_stride + column, count);
    global float *target = y + y_offset + row * y_stride + column;
    store_lanes(accumulate ? load_lanes(target, count) + value : value, target, count);
}
