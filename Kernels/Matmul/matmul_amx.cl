// matmul_panels with BFLOAT16 by matrix tiles (amx.clh): C = ACTIVATION(A P + bias) + residual.
//
// Mapping, arguments and defines are those of matmul_panels with BFLOAT16, `rows` a multiple of 32: a work-item's
// 32-wide panel of P stays in cache while a 32 x 32 block of C walks down the rows. An element of C is summed in an
// order that depends on K alone: the even and the odd ones of every 32 by themselves.
//
// Preconditions: LANES 16; M, N >= 1; k, which counts pairs, a multiple of 16. Nothing outside the M x K and M x N
// elements is touched, but for panels' padding, which is read.
// Beside matmul_panels: blocks instead of registers, sums in another order.
__attribute__((reqd_work_group_size(1, 1, 1)))
kernel void matmul_amx(global const uint *a, int a_offset, int a_stride,
                       global const uint *panels,
                       global const float *bias,
                       global const float *residual, int residual_offset, int residual_stride,
                       global result *c, int c_offset, int c_stride,
                       int m, int n, int k, int rows) {
    const int panel = get_group_id(0);
    const int first = get_group_id(1) * rows;
    const int end = min(first + rows, m);
    const int columns = min(PANEL, n - panel * PANEL);
    const ulong weights = (ulong)(panels + (size_t)panel * k * PANEL);
    const panel_bias added = load_bias(bias, panel, n);
    a += a_offset;
    c += c_offset + panel * PANEL;
    residual += residual_offset + panel * PANEL;

    float sums[BLOCK_ROWS * PANEL] __attribute__((aligned(64)));
    uint last[BLOCK_ROWS * BLOCK_PAIRS] __attribute__((aligned(64)));
    open_tiles();
    for (int top = first; top < end; top += BLOCK_ROWS) {
        const int count = min(BLOCK_ROWS, end - top);
        global const uint *left = a + (size_t)top * a_stride;
        clear_block();
        if (count == BLOCK_ROWS) {
            for (int i = 0; i < k; i += BLOCK_PAIRS)
                multiply_block((ulong)(left + i), 4 * (ulong)a_stride, weights + (ulong)i * 4 * PANEL);
        } else {
            // A tile is loaded from 16 whole rows: the last ones are copied first, so that nothing behind A is read.
            for (int i = 0; i < k; i += BLOCK_PAIRS) {
                for (int r = 0; r < count; ++r)
                    vstore16(vload16(0, left + (size_t)r * a_stride + i), r, last);
                multiply_block((ulong)last, 4 * BLOCK_PAIRS, weights + (ulong)i * 4 * PANEL);
            }
        }
        store_block(sums, 4 * PANEL);
        for (int r = 0; r < count; ++r)
            finish_row(vload16(2 * r, sums), vload16(2 * r + 1, sums), added,
                       residual + (size_t)(top + r) * residual_stride, c + (size_t)(top + r) * c_stride, columns);
    }
    close_tiles();
}
