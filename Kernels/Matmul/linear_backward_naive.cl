// The gradients of Y = X W^T: the plain twins of what matmul_panels and CLBlast's products compute.
//
//   input_gradient_naive    dX[m, k] (+)= sum over n of dY[m, n] W[n, k], added to with `accumulate`
//   weight_gradient_naive   dW[n, k] += sum over m of dY[m, n] X[m, k]
//
// Work-item (k, m), or (k, n), owns one element; global size exactly (K, M), or (K, N), any local size. No local memory.
// X, dX and dY have an offset and a row stride each; W and dW are row-major [N, K] without gaps. Precondition: LANES 1.
kernel void input_gradient_naive(global const float *dy, int dy_offset, int dy_stride, global const float *weight,
                                 global float *dx, int dx_offset, int dx_stride, int n, int accumulate) {
    const int column = get_global_id(0), row = get_global_id(1), columns = get_global_size(0);
    dy += dy_offset + (size_t)row * dy_stride;
    dx += dx_offset + (size_t)row * dx_stride + column;
    float sum = 0.0f;
    for (int i = 0; i < n; ++i) sum = fma(dy[i], weight[(size_t)i * columns + column], sum);
    *dx = accumulate ? *dx + sum : sum;
}

kernel void weight_gradient_naive(global const float *dy, int dy_offset, int dy_stride,
                                  global const float *x, int x_offset, int x_stride,
                                  global float *weight_gradient, int m) {
    const int column = get_global_id(0), row = get_global_id(1), columns = get_global_size(0);
    dy += dy_offset + row;
    x += x_offset + column;
    float sum = 0.0f;
    for (int i = 0; i < m; ++i) sum = fma(dy[(size_t)i * dy_stride], x[(size_t)i * x_stride], sum);
    weight_gradient[(size_t)row * columns + column] += sum;
}
