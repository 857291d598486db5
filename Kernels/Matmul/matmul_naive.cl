// C[m, n] = ACTIVATION(sum over k of A[m, k] W[n, k] + bias[n]) + residual[m, n]: the plain twin of matmul_panels
// and of CLBlast's product.
//
// Work-item (n, m) owns one element of C; global size exactly (N, M), any local size. No local memory. Element (m,
// k) of A lies at a[a_offset + m a_stride + k], W is row-major [N, K] without gaps, C and the residual have an
// offset and a row stride each. Without BIAS or RESIDUAL those arguments are unread. Precondition: LANES 1.
kernel void matmul_naive(global const float *a, int a_offset, int a_stride,
                         global const float *weight,
                         global const float *bias,
                         global const float *residual, int residual_offset, int residual_stride,
                         global float *c, int c_offset, int c_stride,
                         int k) {
    const int column = get_global_id(0), row = get_global_id(1);
    a += a_offset + (size_t)row * a_stride;
    weight += (size_t)column * k;
    float sum = 0.0f;
    for (int i = 0; i < k; ++i) sum = fma(a[i], weight[i], sum);
#ifdef BIAS
    sum += bias[column];
#endif
    sum = ACTIVATION(sum);
#ifdef RESIDUAL
    sum += residual[residual_offset + (size_t)row * residual_stride + column];
#endif
    c[c_offset + (size_t)row * c_stride + column] = sum;
}
