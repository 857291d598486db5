// Gradient of layer_norm.cl. With n = (x - mean) * scale and g = dy * weight, per row:
//   dx = scale * (g - mean(g) - n * mean(g n)),  dweight = sum over rows of dy n,  dbias = sum over rows of dy
//
// Work-group GROUP work-items own ROWS rows, one after the other; global {ceil(rows / ROWS) * GROUP}. The statistics
//            are computed again from x. CPU: GROUP 1, LANES 16, ROWS 32 or so; GPU: GROUP 64 or more, LANES 1, ROWS 8
//            or so.
// Sums       weight_parts and bias_parts [groups, D] are overwritten; sum_rows adds their rows.
// Local      GROUP * 4 bytes
// Expects    x, dy, dx dense [rows, D], D >= 1. With `accumulate` dx is added to, as the residual stream wants, else
//            overwritten.
// Twin       the same text with LANES 1 and GROUP 1.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void layer_norm_backward(
    const int rows, const int columns, const float epsilon, const int accumulate,
    const global float *restrict x,
    const global float *restrict weight,
    const global float *dy,
    global float *dx,
    global float *restrict weight_parts,
    global float *restrict bias_parts
) {
    local float scratch[GROUP];
    const int begin = get_local_id(0) * LANES;
    const int first = get_group_id(0) * ROWS;
    const int end = min(first + ROWS, rows);
    weight_parts += get_group_id(0) * columns;
    bias_parts += get_group_id(0) * columns;
    for (int row = first; row < end; row++) {
        const global float *source = x + (size_t)row * columns;
        const global float *slope = dy + (size_t)row * columns;
        global float *target = dx + (size_t)row * columns;

        const RowMoments moments = row_moments(source, columns, epsilon, scratch);
        lanes slopes = 0.0f, products = 0.0f;
        for (int j = begin; j < columns; j += GROUP * LANES) {
            const int count = columns - j;
            const lanes normal = normalise(load_lanes(source + j, count), moments);
            const lanes d = load_lanes(slope + j, count);
            const lanes g = d * load_lanes(weight + j, count);
            slopes += g;
            products += g * normal;
            const lanes d_weight = d * normal;
            store_lanes(
                row == first ? d_weight : load_lanes(weight_parts + j, count) + d_weight, weight_parts + j, count);
            store_lanes(row == first ? d : load_lanes(bias_parts + j, count) + d, bias_parts + j, count);
        }
        const float mean_slope = group_sum(sum_lanes(slopes), scratch) / columns;
        const float mean_product = group_sum(sum_lanes(products), scratch) / columns;

        for (int j = begin; j < columns; j += GROUP * LANES) {
            const int count = columns - j;
            const lanes normal = normalise(load_lanes(source + j, count), moments);
            const lanes g = load_lanes(slope + j, count) * load_lanes(weight + j, count);
            const lanes d = moments.scale * (g - mean_slope - normal * mean_product);
            store_lanes(accumulate ? load_lanes(target + j, count) + d : d, target + j, count);
        }
    }
}
