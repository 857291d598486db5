// Rounds the rows of a matrix to bfloat16, widened to float32 (bfloat16.clh), for products whose factors lie so.
//
// Work-item (j, m) owns columns 32 j ... of row m, up to `columns`; element (m, k) lies at [offset + m stride + k]. Global size
// exactly (ceil(columns / 32), M), any local size. No local memory. Precondition: LANES 16.
// Beside round_pairs: the same values in twice the bytes.
kernel void round_rows(global const float *source, int offset, int stride, global float *rounded, int rounded_offset,
                       int rounded_stride, int columns) {
    const int column = get_global_id(0) * 32, row = get_global_id(1);
    source += offset + (size_t)row * stride;
    rounded += rounded_offset + (size_t)row * rounded_stride;
    for (int j = column; j < min(column + 32, columns); j += 16)
        store_lanes(widened(load_lanes(source + j, columns - j)), rounded + j, columns - j);
}
