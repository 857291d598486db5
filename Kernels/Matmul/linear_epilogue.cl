// C[m, n] = ACTIVATION(C[m, n] + bias[n]) + residual[m, n] in place: what follows a product that CLBlast wrote.
//
// Work-item (j, m) owns columns j LANES ... of row m; global size exactly (ceil(N / LANES), M), any local size. No
// local memory. C and the residual have an offset and a row stride each. Without BIAS or RESIDUAL those arguments
// are unread. matmul_panels does the same in registers before its only store.
kernel void linear_epilogue(global const float *bias,
                            global const float *residual, int residual_offset, int residual_stride,
                            global float *c, int c_offset, int c_stride, int n) {
    const int column = get_global_id(0) * LANES, row = get_global_id(1);
    const int count = n - column;
    c += c_offset + (size_t)row * c_stride + column;
    lanes value = load_lanes(c, count);
#ifdef BIAS
    value += load_lanes(bias + column, count);
#endif
    value = ACTIVATION(value);
#ifdef RESIDUAL
    value += load_lanes(residual + residual_offset + (size_t)row * residual_stride + column, count);
#endif
    store_lanes(value, c, count);
}
