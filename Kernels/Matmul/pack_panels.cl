// Moves matrices into the layout of panels.clh: W [N, K] as ceil(N / 32) panels, each a contiguous K x
// 32 block, P[(p K + k) 32 + j] = W[32 p + j, k], zero where 32 p + j >= N. With ROUND_FACTORS the panels that pack_panels
// and transpose_panels write hold widened bfloat16.
//
// pack_panels: work-item (k, p) owns row k of panel p; the source has element (n, k) at
// [offset + n n_stride + k k_stride], so that a weight [N, K], its transpose and an activation all fit.
// transpose_panels: work-item (p, q) owns one 32 x 32 block: panels of W [N, K] in, panels of its transpose [K, N]
// out. Global sizes are exact: (K, ceil(N / 32)), and (ceil(N / 32), ceil(K / 32)) for the transpose; any local
// size. No local memory.
kernel void pack_panels(global const float *source, int offset, int n_stride, int k_stride,
                        global float *panels, int n, int k) {
    const int row = get_global_id(0), panel = get_global_id(1);
    global float *target = panels + ((size_t)panel * k + row) * PANEL;
    source += offset + (size_t)row * k_stride + (size_t)panel * PANEL * n_stride;
    if (n_stride == 1 && (panel + 1) * PANEL <= n) {
        store16(as_factor(vload16(0, source)), 0, target);
        store16(as_factor(vload16(1, source)), 1, target);
        return;
    }
    float gathered[PANEL];
    for (int j = 0; j < PANEL; ++j) gathered[j] = panel * PANEL + j < n ? source[(size_t)j * n_stride] : 0.0f;
    store16(as_factor(vload16(0, gathered)), 0, target);
    store16(as_factor(vload16(1, gathered)), 1, target);
}

kernel void transpose_panels(global const float *panels, global float *transposed, int n, int k) {
    const int p = get_global_id(0), q = get_global_id(1);
    panels += ((size_t)p * k + q * PANEL) * PANEL;
    transposed += ((size_t)q * n + p * PANEL) * PANEL;
    const int rows = min(PANEL, k - q * PANEL), columns = min(PANEL, n - p * PANEL);
    for (int left = 0; left < columns; left += 16)
        for (int top = 0; top < PANEL; top += 16) {
            uint16 block[16];
            for (int i = 0; i < 16; ++i) {
                global const float *row = panels + (top + i) * PANEL + left;
                block[i] = top + i < rows ? as_uint16(as_factor(vload16(0, row))) : (uint16)0u;
            }
            transpose(block);
            for (int j = 0; j < min(16, columns - left); ++j)
                store16(as_float16(block[j]), 0, transposed + (left + j) * PANEL + top);
        }
}
