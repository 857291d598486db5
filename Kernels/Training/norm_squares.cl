// Global-norm clipping in two kernels, so that the host never waits: sums of squares of every gradient tensor, then one
// factor = min(1, max_norm / norm) with norm = sqrt(sum of all squares).
//
// norm_squares  work-group GROUP work-items own `span` elements; global {ceil(count / span) * GROUP}; writes
//               parts[first_part + group]. Launched once per tensor, with first_part advancing by the number of groups.
// clip_factor   one work-group, global {GROUP}: parts[0..<count] -> out[0] = factor, out[1] = norm. A NaN gives NaN.
// CPU: GROUP 1, LANES 16, span 16384; GPU: GROUP 256, LANES 1, span 16384. Order is fixed by span and GROUP.
// Local      GROUP * 4 bytes
// Twin       the same text with LANES 1 and GROUP 1.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void norm_squares(
    const int count, const int span, const global float *restrict values,
    global float *restrict parts, const int first_part
) {
    local float scratch[GROUP];
    const size_t start = get_group_id(0) * (size_t)span;
    const int length = min((size_t)span, count - start);
    lanes sum = 0.0f;
    for (int i = get_local_id(0) * LANES; i < length; i += GROUP * LANES) {
        const lanes v = load_lanes(values + start + i, length - i);
        sum += v * v;
    }
    const float total = group_sum(sum_lanes(sum), scratch);
    if (get_local_id(0) == 0) parts[first_part + get_group_id(0)] = total;
}

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void clip_factor(
    const int count, const float max_norm, const global float *restrict parts, global float *restrict out
) {
    local float scratch[GROUP];
    lanes sum = 0.0f;
    for (int i = get_local_id(0) * LANES; i < count; i += GROUP * LANES) sum += load_lanes(parts + i, count - i);
    const float norm = sqrt(group_sum(sum_lanes(sum), scratch));
    if (get_local_id(0) == 0) {
        out[0] = norm <= max_norm ? 1.0f : max_norm / norm;
        out[1] = norm;
    }
}
