// Rounds matrices to bfloat16 pairs (bfloat16.clh) for the products of matmul_panels with BFLOAT16 and of matmul_amx.
// K2 = ceil(K / 2); an odd K is filled with a zero.
//
// round_pairs: rows of A as pairs: work-item (j, m) owns pairs 16 j ... of row m; `stride` in floats, `pair_stride` in
// pairs. Global size exactly (ceil(K2 / 16), M).
// pack_pairs: panels of W as pack_panels makes them, each K2 x 32 pairs: work-item (k2, p) owns row k2 of panel p;
// element (n, k) of W lies at source[offset + n n_stride + k k_stride]. Global size exactly (K2, ceil(N / 32)).
// round_panels: the same from panels of floats. transpose_round_panels: from panels of floats of W [N, K] those of pairs of
// its transpose; work-item (p, q) owns one 32 x 32 block, global size exactly (ceil(N / 32), ceil(K / 32)).
// pack_blocks: the transpose of X [M, K], M a multiple of 32, as the A of matmul_amx with A_PANELS: 32 x 16 pairs without
// gaps for each 32 columns and 32 rows, those of the same columns one after the other. Work-item (i, q) owns one of them,
// global size exactly (M / 32, ceil(K / 32)).
// Any local size. No local memory. Precondition: LANES 16.
kernel void pack_pairs(global const float *source, int offset, int n_stride, int k_stride,
                       global uint *panels, int n, int k) {
    const int row = get_global_id(0), panel = get_global_id(1);
    const int columns = min(PANEL, n - panel * PANEL);
    const bool odd = 2 * row + 1 == k;
    source += offset + (size_t)panel * PANEL * n_stride + (size_t)2 * row * k_stride;
    panels += ((size_t)panel * ((k + 1) / 2) + row) * PANEL;
    if (n_stride == 1) {
        for (int j = 0; j < PANEL; j += 16)
            store16(bfloat16_pairs(load_lanes(source + j, columns - j),
                                   odd ? (float16)0.0f : load_lanes(source + k_stride + j, columns - j)),
                    0, panels + j);
        return;
    }
    for (int half_panel = 0; half_panel < PANEL; half_panel += 16) {
        float first[16], second[16];
        for (int j = 0; j < 16; ++j) {
            const bool inside = half_panel + j < columns;
            global const float *element = source + (size_t)(half_panel + j) * n_stride;
            first[j] = inside ? element[0] : 0.0f;
            second[j] = inside && !odd ? element[k_stride] : 0.0f;
        }
        store16(bfloat16_pairs(vload16(0, first), vload16(0, second)), 0, panels + half_panel);
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
        store16(rounded, 0, pairs);
        return;
    }
    uint tail[16];
    store16(rounded, 0, tail);
    for (int i = 0; i < (count + 1) / 2; ++i) pairs[i] = tail[i];
}

kernel void round_panels(global const float *panels, global uint *pairs, int k) {
    const int row = get_global_id(0), panel = get_global_id(1);
    const bool odd = 2 * row + 1 == k;
    panels += ((size_t)panel * k + 2 * row) * PANEL;
    pairs += ((size_t)panel * ((k + 1) / 2) + row) * PANEL;
    for (int j = 0; j < PANEL / 16; ++j)
        store16(bfloat16_pairs(vload16(j, panels), odd ? (float16)0.0f : vload16(j, panels + PANEL)), j, pairs);
}

kernel void transpose_round_panels(global const float *panels, global uint *transposed, int n, int k) {
    const int p = get_global_id(0), q = get_global_id(1), depth = (n + 1) / 2;
    const int rows = min(PANEL, k - q * PANEL), count = min(16, depth - p * 16);
    panels += ((size_t)p * k + q * PANEL) * PANEL;
    transposed += ((size_t)q * depth + p * 16) * PANEL;
    for (int half_panel = 0; half_panel < 2; ++half_panel) {
        uint16 block[16];
        for (int i = 0; i < 16; ++i) {
            const int row = half_panel * 16 + i;
            block[i] = 0;
            if (row >= rows) continue;
            const float16 x = vload16(0, panels + row * PANEL), y = vload16(1, panels + row * PANEL);
            block[i] = bfloat16_pairs((float16)(x.even, y.even), (float16)(x.odd, y.odd));
        }
        transpose(block);
        for (int j = 0; j < count; ++j) store16(block[j], half_panel, transposed + j * PANEL);
    }
}

kernel void pack_blocks(global const float *source, int offset, int stride, global uint *blocks, int columns, int m) {
    const int i = get_global_id(0), q = get_global_id(1);
    source += offset + (size_t)i * 32 * stride + q * PANEL;
    blocks += ((size_t)q * (m / 32) + i) * 32 * 16;
    for (int part = 0; part < 2; ++part, source += 16) {
        const int count = columns - q * PANEL - part * 16;
        uint16 block[16];
        for (int j = 0; j < 16; ++j)
            block[j] = bfloat16_pairs(load_lanes(source + (size_t)2 * j * stride, count),
                                      load_lanes(source + (size_t)(2 * j + 1) * stride, count));
        transpose(block);
        for (int j = 0; j < 16; ++j) store16(block[j], part * 16 + j, blocks);
    }
}
