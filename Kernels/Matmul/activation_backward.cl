// dx = dy SLOPE(saved), a define: gelu_slope takes the input of the activation, relu_slope takes its output.
//
// Work-item (j, m) owns columns j LANES ... of row m; global size exactly (ceil(N / LANES), M), any local size. No
// local memory. Every matrix has an offset and a row stride; dx may be dy or saved itself, at the same offset and
// stride.
kernel void activation_backward(global const float *dy, int dy_offset, int dy_stride,
                                global const float *saved, int saved_offset, int saved_stride,
                                global float *dx, int dx_offset, int dx_stride, int n) {
    const int column = get_global_id(0) * LANES, row = get_global_id(1);
    const int count = n - column;
    const lanes slope = SLOPE(load_lanes(saved + saved_offset + (size_t)row * saved_stride + column, count));
    const lanes upstream = load_lanes(dy + dy_offset + (size_t)row * dy_stride + column, count);
    store_lanes(upstream * slope, dx + dx_offset + (size_t)row * dx_stride + column, count);
}
