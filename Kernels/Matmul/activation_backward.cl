// dy becomes dx = dy SLOPE(saved), a define: gelu_slope takes the input of the activation, relu_slope takes its output.
//
// Work-item (j, m) owns columns j LANES ... of row m; global size exactly (ceil(N / LANES), M), any local size. No
// local memory. Both matrices have an offset and a row stride.
kernel void activation_backward(global float *restrict dy, int dy_offset, int dy_stride,
                                global const float *restrict saved, int saved_offset, int saved_stride, int n) {
    const int column = get_global_id(0) * LANES, row = get_global_id(1);
    const int count = n - column;
    const lanes slope = SLOPE(load_lanes(saved + saved_offset + (size_t)row * saved_stride + column, count));
    global float *gradient = dy + dy_offset + (size_t)row * dy_stride + column;
    store_lanes(load_lanes(gradient, count) * slope, gradient, count);
}
