// Rounds matrices to bfloat16 pairs (bfloat16.clh) for the products of matmul_panels with BFLOAT16. K2 = ceil(K / 2);
// an odd K is filled with a zero.
//
// pack_pairs: panels of W as pack_panels makes them, each K2 x 32 pairs: work-item (k2, p) owns row k2 of panel p;
// element (n, k) of W lies at source[offset + n n_stride + k k_stride]. Global size exactly (K2, ceil(N / 32)).
// round_pairs: rows of A as pairs: work-item (j, m) owns pairs 16 j ... of row m; `stride` in floats, `pair_stride` in
// pairs. Global size exactly (ceil(K2 / 16), M).
// Any local size. No local memory. Precondition: LANES 16.
kernel void pack_pairs(global const float *source, int offset, int n_stride, int k_stride,
                       global uint *panels, int n, int k) {
    const int row = get_global_id(0), panel = get_global_id(1);
    const int columns = min(PANEL, n - panel * PANEL);
    const bool odd = 2 * row + 1 == k;
    source += offset + (size_t)panel * PANEL * n_stride + (size_t)2 * row * k_stride;
    panels += ((size_t)panel * ((k + 1) / 2) + row) * PANEL;
    for (int half_panel = 0; half_panel < PANEL; half_panel += 16) {
        float first[16], second[16];
        for (int j = 0; j < 16; ++j) {
            const bool inside = half_panel + j < columns;
            global const float *element = source + (size_t)(half_panel + j) * n_stride;
            first[j] = inside ? element[0] : 0.0f;
            second[j] = inside && !odd ? element[k_stride] : 0.0f;
        }
        vstore16(bfloat16_pairs(vload16(0, first), vload16(0, second)), 0, panels + half_panel);
    }
}

kernel void round_pairs(global const float *source, int offset, int stride, global uint *pairs, int pair_offset,
                        int pair_stride, int k) {
    const int column = get_global_id(0) * 32, row = get_global_id(1), count = min(32, k - column);
    source += offset + (size_t)row * stride + column;
    pairs += pair_offset + (size_t)row * pair_stride + column / 2;
    const float16 x = load_lanes(source, count), y = load_lanes(source + 16, count - 16);
    const uint16 rounded = bfloat16_pairs((float16)(x.even, y.even), (float16)(x.odd, y.odd));
    if (count == 32) {
        vstore16(rounded, 0, pairs);
        return;
    }
    uint tail[16];
    vstore16(rounded, 0, tail);
    for (int i = 0; i < (count + 1) / 2; ++i) pairs[i] = tail[i];
}
