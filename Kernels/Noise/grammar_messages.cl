// The weights of all completions in a grammar draw, from the last position to the first masked one:
//
//   message[i][s] = sum over the ways on from s: mass[i][class] * message[i + 1][target]
//
// Legend     S states, padded to rows of a multiple of 16
// Work-group ITEMS work-items, which own one sample; global {ITEMS * B}. Work-item k owns states k, k + ITEMS, ...
//            With one work-item, sixteen states at a time take their own ways, and then each of those that share adds
//            the finished message of the state before it. With several, whole chains of shared ways, a hundred states
//            long in the grammar of rising pitches, are added by doubling: round r adds what the state 2^r further along
//            the chain has so far. The states so far along are found first and stay in `jumps` for grammar_path.
// Scratch    message_m and message_e, as automaton.clh lays them out; jumps, B * rounds * S ints, unread with one
//            work-item. 2^rounds states are no shorter than any chain.
// Local      none
// Mirrors    ReferenceBackend/GrammarDraw.swift

#define END_BEHIND_GIVEN 1
#define END_ALWAYS 2

#if ITEMS == 1
#define GROUP_BARRIER()
#else
#define GROUP_BARRIER() barrier(CLK_GLOBAL_MEM_FENCE)
#endif

// The chains of shared ways.
typedef struct {
    // Below this no state shares the ways of another; unset with several work-items.
    int first_sharing;
    // The state 2^r places further along the chain of state s, or -1, at [r S + s]; unset with one work-item.
    global int *jumps;
    int rounds;
} chain_table;

static inline wide joined(const automaton *a, wide x, wide y) {
    return a->is_random ? wide_sum(x, y) : wide_larger(x, y);
}

#if ITEMS == 1
static inline void find_chains(const automaton *a, chain_table *chains) {
    while (chains->first_sharing < a->states && a->shared[chains->first_sharing] < 0) chains->first_sharing++;
}

static inline void open_messages(const automaton *a, const chain_table *chains, row masses, row next, row here,
                                 row spare) {
    for (int s = 0; s < a->states; s += 16) {
        float m[16];
        int e[16];
        for (int i = 0; i < 16; i++) {
            const int state = min(s + i, a->states - 1), c = a->classes[state], target = a->targets[state];
            m[i] = masses.m[c] * next.m[target];
            e[i] = masses.e[c] + next.e[target];
        }
        wide_store16(vload16(0, m), vload16(0, e), here.m + s, here.e + s);
    }
    for (int s = chains->first_sharing; s < a->states; s++) {
        const int shared = a->shared[s];
        const wide sum = joined(a, wide_at(here.m, here.e, s), wide_at(here.m, here.e, shared));
        wide_store(sum, here.m, here.e, s);
    }
}
#else
static inline void find_chains(const automaton *a, chain_table *chains) {
    for (int r = 0; r < chains->rounds; r++) {
        global int *level = chains->jumps + (size_t)r * a->states;
        global const int *half_way = level - a->states;
        for (int s = get_local_id(0); s < a->states; s += ITEMS) {
            const int middle = r == 0 ? -1 : half_way[s];
            level[s] = r == 0 ? a->shared[s] : middle < 0 ? -1 : half_way[middle];
        }
        GROUP_BARRIER();
    }
}

static inline void open_messages(const automaton *a, const chain_table *chains, row masses, row next, row here,
                                 row spare) {
    // The last round writes `here`.
    const bool is_even = chains->rounds % 2 == 0;
    row from = is_even ? here : spare, to = is_even ? spare : here;
    for (int s = get_local_id(0); s < a->states; s += ITEMS)
        wide_store(way_weight(a, masses, next, s), from.m, from.e, s);
    for (int r = 0; r < chains->rounds; r++) {
        GROUP_BARRIER();
        for (int s = get_local_id(0); s < a->states; s += ITEMS) {
            const int further = chains->jumps[(size_t)r * a->states + s];
            wide sum = wide_at(from.m, from.e, s);
            if (further >= 0) sum = joined(a, sum, wide_at(from.m, from.e, further));
            wide_store(sum, to.m, to.e, s);
        }
        const row written = to;
        to = from;
        from = written;
    }
}
#endif

static inline void standing_messages(const automaton *a, int token_class, row next, row here) {
    global const int *moves = a->moves + (size_t)token_class * a->states;
    for (int s = get_local_id(0); s < a->states; s += ITEMS) {
        const int target = moves[s];
        here.m[s] = target < 0 ? 0.0f : next.m[target];
        here.e[s] = target < 0 ? WIDE_ZERO_EXPONENT : next.e[target];
    }
}

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void grammar_messages(
    global const int *tokens, global const int *given, global const int *classes, global const int *arcs,
    global const int *moves, global const int *ends, global float *mass_m, global int *mass_e, global float *message_m,
    global int *message_e, global int *jumps, int padded, int length, int states, int class_count, int rounds,
    float temperature, int mask_token
) {
    const int b = get_group_id(0);
    const size_t first = (size_t)b * padded;
    tokens += first;
    given += first;
    const row masses = row_at(mass_m, mass_e, first * class_count);
    const row messages = messages_of(message_m, message_e, b, padded, states);
    const row spare = message_at(messages, padded + 1, states);
    const automaton a = automaton_of(arcs, moves, states, temperature);
    chain_table chains = {0, jumps + (size_t)b * rounds * states, rounds};
    find_chains(&a, &chains);

    const int needed = length > 0 && given[length - 1] == 0 ? END_ALWAYS : END_BEHIND_GIVEN;
    const row end = message_at(messages, length, states);
    for (int s = get_local_id(0); s < states; s += ITEMS)
        wide_store(wide_of(ends[s] >= needed ? 1.0f : 0.0f, 0), end.m, end.e, s);
    GROUP_BARRIER();
    // What stands in front of the first masked token leads to one state, whatever comes.
    int first_open = 0;
    while (first_open < length && standing_class(tokens, given, classes, first_open, mask_token) > 0) first_open++;
    for (int i = length - 1; i >= first_open; i--) {
        const row here = message_at(messages, i, states), next = message_at(messages, i + 1, states);
        const int token_class = standing_class(tokens, given, classes, i, mask_token);
        if (token_class > 0) standing_messages(&a, token_class, next, here);
        else open_messages(&a, &chains, row_at(masses.m, masses.e, (size_t)i * class_count), next, here, spare);
        GROUP_BARRIER();
    }
}
