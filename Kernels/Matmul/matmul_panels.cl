// C = ACTIVATION(A P + bias) + residual for CPU devices, P packed by pack_panels.
//
// Work-group (at most ceil(N / (32 PANELS)), any number) of one work-item owns some rows of PANELS 32-wide panels side by side,
// as product_row.clh shares them out, and of every set of panels that lies so many groups on: a tile of C, ROWS x 32 PANELS in
// float16 registers, walks down the rows, while the panels stay in cache. 6 x 64 fills 24 of 32 registers and takes 10 loads
// for 24 products; 12 x 32 takes 14 and writes C in shorter runs, 8 x 32 takes 15. The next panels of the same rows, a
// neighbour's or its own, follow at once, while A's rows are in cache, and write on where C's were left. No local memory.
// An element of C is summed over ascending k by one work-item: its bits depend on K alone. With DEPTH, a weight's gradient,
// whose K is every row of a batch, the sums of DEPTH terms each are added to C one after the other, and that much of both
// factors stays in cache.
//
// A: element (m, k) at a[a_offset + m a_stride + k]; with A_PANELS A is packed itself, 32 of its rows wide and K
// deep, which is how a transposed activation enters a weight gradient (a_stride is then unread).
// C and residual: element (m, n) at [offset + m stride + n]; with C_PANELS both are panels of 32 columns, M deep
// (the strides are then unread). Binding C as its own residual accumulates, which DEPTH wants, without BIAS or
// ACTIVATION. Without BIAS or RESIDUAL those arguments are unread.
//
// What comes next is asked for ahead of its use, for the processor's own prefetcher gives up where rows are pages apart and
// at the end of every tile. Into the first-level cache P and an unpacked A, a tenth faster than without, the beginning of
// the next tile's, and the lines of C that a tile will write; into the second level the panels that follow, an eighth of
// two panels with every tile, for a block mostly has eight. The last three are worth 5 % at K = 512, 1 % at K = 2048, and cost
// up to 15 % at K = 32, where SHALLOW leaves everything out. The residual's lines are worth 2 % of a product that has one.
//
// With NORM a single group side by side owns whole rows, and normalises them while they are in cache: normal [M, N] is the
// layer norm of C by norm_weight, norm_bias and epsilon (norm_row.clh). A layer norm of its own is one more launch, and reads
// rows that another core may have written: 1 % of a step of the paper preset.
//
// With BFLOAT16 A and P hold pairs along k as bfloat16.clh has them; k, a_offset and a_stride count pairs, and two
// terms of the sum are added at a time. With RESULT_BFLOAT16, which excludes C_PANELS, C is the A of another such product if
// N is even, and c_offset and c_stride count its elements, halves or widened ones.
//
// Preconditions: LANES 16; M, N, K, ROWS, PANELS >= 1. Nothing outside the M x K and M x N elements is touched, but for
// panels' padding, which is read and written.
// Beside matmul_naive: only the packed layout; the float arithmetic is the same.

#define VECTORS (2 * PANELS)
// Floats or pairs of a cache line, and terms of the sum by which the panels are asked for before their use.
#define LINE 16
#define AHEAD 8

#ifdef A_PANELS
#define A_ROW(row) ((size_t)((row) / PANEL) * k * PANEL + (row) % PANEL)
#define A_STEP PANEL
#else
#define A_ROW(row) ((size_t)(row) * a_stride)
#define A_STEP 1
#endif

// Where the work-group's panel p of a row of C or the residual begins.
#define FINISHED(matrix, row, p) (matrix##_panel + (size_t)(row) * matrix##_stride + (p) * PANEL_STEP)

__attribute__((reqd_work_group_size(1, 1, 1)))
kernel void matmul_panels(global const operand *a, int a_offset, int a_stride,
                          global const operand *panels,
                          global const float *bias,
                          global const float *residual, int residual_offset, int residual_stride,
                          global product *c, int c_offset, int c_stride,
                          int m, int n, int k
#ifdef NORM
                          , global const float *norm_weight, global const float *norm_bias, float epsilon,
                          global result *normal
#endif
) {
    const int first = rows_before(get_group_id(1), m, ROWS);
    const int end = min(rows_before(get_group_id(1) + 1, m, ROWS), m);
    a += a_offset;
    SET_STRIDES;
    for (int panel = get_group_id(0) * PANELS; panel * PANEL < n; panel += get_num_groups(0) * PANELS) {
        global product *c_panel = AT_PANEL(c, panel);
        global const float *residual_panel = AT_PANEL(residual, panel);
        global const operand *right[PANELS];
        panel_bias added[PANELS];
#pragma unroll
        for (int p = 0; p < PANELS; ++p) {
            // Panels past the end repeat the last one: the tile keeps its shape.
            right[p] = panels + (size_t)min(panel + p, ceil_div(n, PANEL) - 1) * k * PANEL;
            added[p] = load_bias(bias, panel + p, n);
        }

        for (int begin = 0; begin < k; begin += DEPTH) {
            const int stop = min(begin + DEPTH, k);
            for (int top = first; top < end; top += ROWS) {
                // Rows past the end repeat the last one, too: reads stay inside A.
                global const operand *row[ROWS];
                float16 sum[ROWS][VECTORS];
#pragma unroll
                for (int r = 0; r < ROWS; ++r) {
                    row[r] = a + A_ROW(min(top + r, m - 1));
#pragma unroll
                    for (int v = 0; v < VECTORS; ++v) {
                        sum[r][v] = 0.0f;
                        fetch_to_write(FINISHED(c, top + r, v / 2) + v % 2 * LINE);
#ifdef RESIDUAL
                        fetch_soon(FINISHED(residual, top + r, v / 2) + v % 2 * LINE);
#endif
                    }
                }
                global const operand *following =
                    panels + ((size_t)(panel + PANELS) * k * 2 + (top - first) / ROWS * (k / 2)) * LINE;
                for (int i = begin; i < stop; ++i) {
                    if (i % 2 == 0) fetch_later(following + i / 2 * LINE);
#ifndef A_PANELS
                    if (i % LINE == 0)
#pragma unroll
                        for (int r = 0; r < ROWS; ++r) fetch_soon(row[r] + i + 2 * LINE);
#endif
                    operands w[VECTORS];
#pragma unroll
                    for (int v = 0; v < VECTORS; ++v) {
                        fetch_soon(right[v / 2] + (size_t)(i + AHEAD) * PANEL + v % 2 * LINE);
                        w[v] = vload16(v % 2, right[v / 2] + (size_t)i * PANEL);
                    }
#pragma unroll
                    for (int r = 0; r < ROWS; ++r) {
                        const operands x = row[r][(size_t)i * A_STEP];
#pragma unroll
                        for (int v = 0; v < VECTORS; ++v) sum[r][v] = multiply_add(x, w[v], sum[r][v]);
                    }
                }
#pragma unroll
                for (int i = 0; i < AHEAD * VECTORS; ++i)
                    fetch_soon(right[i % VECTORS / 2] + (size_t)(begin + i / VECTORS) * PANEL + i % 2 * LINE);
#ifndef A_PANELS
#pragma unroll
                for (int i = 0; i < 2 * ROWS; ++i) fetch_soon(row[i / 2] + ROWS * a_stride + begin + i % 2 * LINE);
#endif
                if (COLUMNS(panel + PANELS - 1) == PANEL) {
#pragma unroll
                    for (int r = 0; r < ROWS; ++r) {
                        if (top + r >= end) break;
#pragma unroll
                        for (int p = 0; p < PANELS; ++p)
                            finish_row(
                                sum[r][2 * p], sum[r][2 * p + 1], added[p], FINISHED(residual, top + r, p),
                                FINISHED(c, top + r, p), PANEL);
                    }
                    continue;
                }
                // Rolled up, because the ends of rows, in every row of a tile, took a compiler more time than all the rest.
                float16 last[ROWS][VECTORS];
#pragma unroll
                for (int i = 0; i < ROWS * VECTORS; ++i) last[i / VECTORS][i % VECTORS] = sum[i / VECTORS][i % VECTORS];
#pragma unroll 1
                for (int i = 0; i < min(ROWS, end - top) * PANELS; ++i) {
                    const int r = i / PANELS, p = i % PANELS;
                    finish_row(
                        last[r][2 * p], last[r][2 * p + 1], load_bias(bias, panel + p, n), FINISHED(residual, top + r, p),
                        FINISHED(c, top + r, p), COLUMNS(panel + p));
                }
            }
        }
    }
#ifdef NORM
    for (int row = first; row < end; ++row)
        normalise_row(c + c_offset + (size_t)row * c_stride, n, epsilon, norm_weight, norm_bias, normal + (size_t)row * n, 0);
#endif
}
