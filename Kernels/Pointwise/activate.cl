// y = ACTIVATION(x), element by element.
//
// Work-item i owns LANES elements; global {ceil(count / LANES)}, any local size. Private, local: nothing.
// Expects    x, y dense arrays of `count` floats. NaN stays NaN.
// Twin       the same text with LANES 1.
kernel void activate(const int count, const global float *x, global float *y) {
    const int i = get_global_id(0) * LANES;
    if (i < count) store_lanes(ACTIVATION(load_lanes(x + i, count - i)), y + i, count - i);
}
