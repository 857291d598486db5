// Embedding: out[r, :] = table[tokens[r], :].
//
// Work-group any; global {ceil(E / LANES), rows}. A work-item owns LANES columns of one row. Private, local: nothing.
// Expects    tokens int32 [rows], checked on the host; table [table_rows, E]; out dense [rows, E]. A token outside
//            the table reads nothing and gives a row of NaN.
// Twin       the same text with LANES 1.
kernel void embedding(
    const int columns, const int table_rows,
    const global int *restrict tokens,
    const global float *restrict table,
    global float *restrict out
) {
    const int column = get_global_id(0) * LANES;
    if (column >= columns) return;
    const int count = min(LANES, columns - column);
    const size_t row = get_global_id(1);
    const int token = tokens[row];
    lanes value = NAN;
    if (token >= 0 && token < table_rows) value = load_lanes(table + (size_t)token * columns + column, count);
    store_lanes(value, out + row * columns + column, count);
}
