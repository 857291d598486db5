// C = ACTIVATION(A P + bias) + residual for CPU devices, P packed by pack_panels.
//
// Work-group (ceil(N / 32), ceil(M / rows)) of one work-item owns `rows` rows of one 32-wide panel, best a
// multiple of TILE_ROWS: the panel stays in cache while a TILE_ROWS x 32 tile of C, two float16 registers a row, walks
// down the rows. Neighbours own the next panel of the same rows, which are still in cache, and write on where C's rows were
// left. No local memory. An element of C is summed over ascending k by one work-item: its bits depend on K alone. With
// DEPTH, a weight's gradient, whose K is every row of a batch, the sums of DEPTH terms each are added to C one after the
// other, and that much of both factors stays in cache.
//
// A: element (m, k) at a[a_offset + m a_stride + k]; with A_PANELS A is packed itself, 32 of its rows wide and K
// deep, which is how a transposed activation enters a weight gradient (a_stride is then unread).
// C and residual: element (m, n) at [offset + m stride + n]; with C_PANELS both are panels of 32 columns, M deep
// (the strides are then unread). Binding C as its own residual accumulates, which DEPTH wants, without BIAS or
// ACTIVATION. Without BIAS or RESIDUAL those arguments are unread.
//
// Both factors are asked for a little ahead of their use, into the first-level cache, which a panel leaves before the next
// tile takes it again: a tenth faster than what the processor prefetches by itself.
//
// With BFLOAT16 A and P hold pairs along k as bfloat16.clh has them; k, a_offset and a_stride count pairs, and two
// terms of the sum are added at a time. With RESULT_BFLOAT16, which excludes C_PANELS, c_offset and c_stride count
// halves: C is the A of another such product if N is even.
//
// Preconditions: LANES 16; M, N, K >= 1. Nothing outside the M x K and M x N elements is touched, but for panels'
// padding, which is read and written.
// Beside matmul_naive: only the packed layout; the float arithmetic is the same.

// Elements of a cache line.
#define LINE 16

#ifdef A_PANELS
#define A_ROW(row) ((size_t)((row) / PANEL) * k * PANEL + (row) % PANEL)
#define A_STEP PANEL
#else
#define A_ROW(row) ((size_t)(row) * a_stride)
#define A_STEP 1
#endif

#ifdef BFLOAT16
typedef uint operand;
typedef uint16 operands;
#define multiply_add(x, w, sum) add_pair_products(sum, x, w)
#else
typedef float operand;
typedef float16 operands;
#define multiply_add(x, w, sum) fma(x, w, sum)
#endif

__attribute__((reqd_work_group_size(1, 1, 1)))
kernel void matmul_panels(global const operand *a, int a_offset, int a_stride,
                          global const operand *panels,
                          global const float *bias,
                          global const float *residual, int residual_offset, int residual_stride,
                          global result *c, int c_offset, int c_stride,
                          int m, int n, int k, int rows) {
    const int panel = get_group_id(0);
    const int first = get_group_id(1) * rows;
    const int end = min(first + rows, m);
    global const operand *weights = panels + (size_t)panel * k * PANEL;
    a += a_offset;
    MOVE_TO_PANEL(panel)
    const panel_bias added = load_bias(bias, panel, n);

    for (int begin = 0; begin < k; begin += DEPTH) {
        const int stop = min(begin + DEPTH, k);
        for (int top = first; top < end; top += TILE_ROWS) {
            // Rows past the end repeat the last one: the tile keeps its shape and reads stay inside A.
            global const operand *row[TILE_ROWS];
            float16 lo[TILE_ROWS], hi[TILE_ROWS];
#pragma unroll
            for (int r = 0; r < TILE_ROWS; ++r) {
                row[r] = a + A_ROW(min(top + r, m - 1));
                lo[r] = hi[r] = 0.0f;
            }
            for (int i = begin; i < stop; ++i) {
                fetch_soon(weights + (size_t)(i + 16) * PANEL);
                fetch_soon(weights + (size_t)(i + 16) * PANEL + 16);
#ifndef A_PANELS
                if (i % LINE == 0)
#pragma unroll
                    for (int r = 0; r < TILE_ROWS; ++r) fetch_soon(row[r] + i + 2 * LINE);
#endif
                const operands w_lo = vload16(0, weights + (size_t)i * PANEL);
                const operands w_hi = vload16(1, weights + (size_t)i * PANEL);
#pragma unroll
                for (int r = 0; r < TILE_ROWS; ++r) {
                    const operands x = row[r][(size_t)i * A_STEP];
                    lo[r] = multiply_add(x, w_lo, lo[r]);
                    hi[r] = multiply_add(x, w_hi, hi[r]);
                }
            }
#pragma unroll
            for (int r = 0; r < TILE_ROWS; ++r) {
                if (top + r >= end) break;
                finish_row(lo[r], hi[r], added, residual + (size_t)(top + r) * residual_stride,
                           c + (size_t)(top + r) * c_stride, columns);
            }
        }
    }
}
