// matmul_panels with BFLOAT16 by matrix tiles (amx.clh): C = ACTIVATION(A P + bias) + residual.
//
// Mapping, arguments and defines are those of matmul_panels with BFLOAT16, a tile being 32 x 32: a work-item's
// 32-wide panel of P stays in cache while a 32 x 32 block of C walks down the rows. An element of C is summed in an
// order that depends on K alone: the even and the odd ones of every 32 by themselves, with DEPTH so many pairs after the
// others. With A_PANELS A is packed by pack_blocks, one tile's rows after the other.
//
// The lines of C that a block will write are asked for a few with every product: on lines from memory its stores would wait
// as long as its products took, and all at once they hold up the loads. On the shapes of the paper preset that and
// multiply_block's requests are worth a fifth.
//
// Preconditions: LANES 16; M, N >= 1; k and DEPTH, which count pairs, multiples of 16. Nothing outside the M x K and M x N
// elements is touched, but for the padding of panels and blocks, which is read.
// Beside matmul_panels: blocks instead of registers, sums in another order.
#ifdef A_PANELS
#define A_BLOCK(top, i) (a + ((size_t)(top) * k + (size_t)(i) * BLOCK_ROWS))
#define A_STRIDE BLOCK_PAIRS
#define A_IS_PADDED 1
#else
#define A_BLOCK(top, i) (a + ((size_t)(top) * a_stride + (i)))
#define A_STRIDE a_stride
#define A_IS_PADDED 0
#endif

__attribute__((reqd_work_group_size(1, 1, 1)))
kernel void matmul_amx(global const uint *a, int a_offset, int a_stride,
                       global const uint *panels,
                       global const float *bias,
                       global const float *residual, int residual_offset, int residual_stride,
                       global product *c, int c_offset, int c_stride,
                       int m, int n, int k) {
    const int panel = get_group_id(0);
    const int first = rows_before(get_group_id(1), m, BLOCK_ROWS);
    const int end = min(rows_before(get_group_id(1) + 1, m, BLOCK_ROWS), m);
    const ulong weights = (ulong)(panels + (size_t)panel * k * PANEL);
    const panel_bias added = load_bias(bias, panel, n);
    a += a_offset;
    SET_STRIDES;
    global product *c_panel = AT_PANEL(c, panel);
    global const float *residual_panel = AT_PANEL(residual, panel);

    float sums[BLOCK_ROWS * PANEL] __attribute__((aligned(64)));
    uint last[BLOCK_ROWS * BLOCK_PAIRS] __attribute__((aligned(64)));
    open_tiles();
    for (int begin = 0; begin < k; begin += DEPTH) {
        const int stop = min(begin + DEPTH, k);
        const int share = ceil_div(BLOCK_ROWS * BLOCK_PAIRS, stop - begin);
        for (int top = first; top < end; top += BLOCK_ROWS) {
            const int count = min(BLOCK_ROWS, end - top);
            const bool is_whole = A_IS_PADDED || count == BLOCK_ROWS;
            int asked = 0;
            clear_block();
            for (int i = begin; i < stop; i += BLOCK_PAIRS) {
                for (const int enough = min(asked + share, count); asked < enough; ++asked) {
                    global const product *row = c_panel + (size_t)(top + asked) * c_stride;
#pragma unroll
                    for (int line = 0; line < PANEL; line += 64 / sizeof(product)) fetch_to_write(row + line);
                }
                global const uint *block = A_BLOCK(top, i);
                if (is_whole) {
                    multiply_block((ulong)block, 4 * (ulong)A_STRIDE, weights + (ulong)i * 4 * PANEL);
                    continue;
                }
                // A tile is loaded from 16 whole rows: the last ones are copied first, so that nothing behind A is read.
                for (int r = 0; r < count; ++r) store16(vload16(0, block + (size_t)r * A_STRIDE), r, last);
                multiply_block((ulong)last, 4 * BLOCK_PAIRS, weights + (ulong)i * 4 * PANEL);
            }
            store_block(sums, 4 * PANEL);
            for (int r = 0; r < count; ++r)
                finish_row(vload16(2 * r, sums), vload16(2 * r + 1, sums), added,
                           residual_panel + (size_t)(top + r) * residual_stride,
                           c_panel + (size_t)(top + r) * c_stride,
                           COLUMNS(panel));
        }
    }
    close_tiles();
}
