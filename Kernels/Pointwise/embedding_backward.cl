// Gradient of embedding.cl: dtable[v, :] += sum of dout[r, :] over the rows r with tokens[r] = v.
//
// Work-group any; global {ceil(E / LANES), table_rows}. A work-item owns LANES columns of one table row, reads all
//            tokens and adds the rows that match in ascending order, BLOCK rows to a partial sum: no atomics, the
//            same bits every time. A token outside the table adds to nothing.
// Private, local: nothing.
// Expects    tokens int32 [rows]; dout [rows, E]; dtable [table_rows, E].
// Twin       the same text with LANES 1.
#define BLOCK 256
#define TOKENS 16

kernel void embedding_backward(
    const int rows, const int columns,
    const global int *restrict tokens,
    const global float *restrict dout,
    global float *restrict dtable
) {
    const int column = get_global_id(0) * LANES;
    const int wanted = get_global_id(1);
    if (column >= columns) return;
    const int count = min(LANES, columns - column);
    dout += column;
    dtable += (size_t)wanted * columns + column;
    lanes total = load_lanes(dtable, count);
    for (int block = 0; block < rows; block += BLOCK) {
        const int end = min(block + BLOCK, rows);
        lanes sum = 0.0f;
        for (int row = block; row < end; row += TOKENS) {
            // Most groups of tokens hold no match: one comparison settles them.
            if (row + TOKENS <= end && !any_lane(vload16(0, tokens + row) == wanted)) continue;
            for (int r = row; r < min(row + TOKENS, end); r++)
                if (tokens[r] == wanted) sum += load_lanes(dout + (size_t)r * columns, count);
        }
        total += sum;
    }
    store_lanes(total, dtable, count);
}
