// Sum of an array, compensated: out[0] = sum of values[0..<count], to the last bit or two however many they are.
//
// Work-group GROUP work-items, one group: global {GROUP}. Lane l of work-item i adds, by Kahan's rule, the elements
//            whose index is i * LANES + l modulo GROUP * LANES; a fixed tree adds the lanes. CPU: GROUP 1, LANES 16;
//            GPU: GROUP 256, LANES 1.
// Local      GROUP * 4 bytes
// Expects    count >= 0; no relaxed floating-point options, which would remove the compensation. A NaN makes the sum
//            NaN, and so does an infinity.
// Twin       the same text with LANES 1 and GROUP 1.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void sum_values(const int count, const global float *restrict values, global float *restrict out) {
    local float scratch[GROUP];
    lanes sum = 0.0f, excess = 0.0f;
    for (int i = get_local_id(0) * LANES; i < count; i += GROUP * LANES) {
        const lanes term = load_lanes(values + i, count - i) - excess;
        const lanes next = sum + term;
        excess = (next - sum) - term;
        sum = next;
    }
    const float total = group_sum(sum_lanes(sum - excess), scratch);
    if (get_local_id(0) == 0) out[0] = total;
}
