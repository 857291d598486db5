// A class for every masked position in a grammar draw, from the first to the last, by the weights of all completions
// that grammar_messages left.
//
// Legend     S states; the ways on from a state are its own and those of the states along its chain of shared ways
// Work-group ITEMS work-items, which own one sample; global {ITEMS * B}. A way is drawn after the one before it. Among
//            several work-items, place k of the chain is looked up by work-item k, by the jumps of grammar_messages, for
//            `blocks` blocks of ITEMS places, and all of them then draw the same way.
// Scratch    as grammar_messages left it; rests, B * padded floats
// Local      8 bytes * ITEMS
// Mirrors    ReferenceBackend/GrammarDraw.swift

// A draw of one of several ways, which it is shown one after the other.
typedef struct {
    // The number to draw by, in [0, 1), or that there is none: then the first of the greatest ways is taken.
    float wanted;
    bool is_random;
    float cumulative;
    // The way taken so far, -1 for none, with its share and what lay before it.
    int chosen;
    float share;
    float before;
    bool is_near;
} way_draw;

static inline void show_way(way_draw *draw, int state, float part) {
    if (part <= 0.0f) return;
    if (draw->is_random) {
        draw->is_near |= draw->cumulative > 0.0f && fabs(draw->cumulative - draw->wanted) < NEAR_TIE;
    } else {
        draw->is_near =
            draw->chosen >= 0 && (fabs(part - draw->share) < NEAR_TIE || (draw->is_near && part <= draw->share));
    }
    // Rounding may leave the sum below a draw close to 1: then the last way is taken.
    if (draw->is_random ? draw->cumulative <= draw->wanted : part > draw->share) {
        draw->chosen = state;
        draw->share = part;
        draw->before = draw->cumulative;
    }
    draw->cumulative += part;
}

#if ITEMS == 1
// Shows the ways of `state`, whose weights add up to `sum`.
static inline void show_ways(way_draw *draw, const automaton *a, row masses, row next, wide sum, int state,
                             global const int *jumps, int rounds, int blocks, local int *chain, local float *parts) {
    for (int s = state; s >= 0; s = a->shared[s]) show_way(draw, s, wide_share(way_weight(a, masses, next, s), sum));
}
#else
// The state at a place of a state's chain, -1 behind its end.
static inline int chain_state(global const int *jumps, int states, int rounds, int state, int place) {
    if (place >> rounds > 0) return -1;
    for (int r = 0; r < rounds && state >= 0; r++)
        if (place >> r & 1) state = jumps[(size_t)r * states + state];
    return state;
}

static inline void show_ways(way_draw *draw, const automaton *a, row masses, row next, wide sum, int state,
                             global const int *jumps, int rounds, int blocks, local int *chain, local float *parts) {
    const int item = get_local_id(0);
    for (int block = 0; block < blocks; block++) {
        const int s = chain_state(jumps, a->states, rounds, state, block * ITEMS + item);
        chain[item] = s;
        parts[item] = s < 0 ? 0.0f : wide_share(way_weight(a, masses, next, s), sum);
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int k = 0; k < ITEMS && chain[k] >= 0; k++) show_way(draw, chain[k], parts[k]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}
#endif

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void grammar_path(
    global const int *tokens, global const int *given, global const int *classes, global const int *arcs,
    global const int *moves, global const int *step, global int *candidates, global float *confidence,
    global int *near_ties, global float *mass_m, global int *mass_e, global float *message_m, global int *message_e,
    global const int *jumps, global float *rests, int padded, int length, int states, int class_count, int rounds,
    int blocks, int start, float temperature, int mask_token
) {
    local int chain[ITEMS];
    local float parts[ITEMS];
    const int b = get_group_id(0);
    const size_t first = (size_t)b * padded;
    tokens += first;
    given += first;
    candidates += first;
    confidence += first;
    near_ties += first;
    rests += first;
    jumps += (size_t)b * rounds * states;
    const row masses = row_at(mass_m, mass_e, first * class_count);
    const row messages = messages_of(message_m, message_e, b, padded, states);
    const automaton a = automaton_of(arcs, moves, states, temperature);

    int state = start;
    for (int i = 0; i < length; i++) {
        const int token_class = standing_class(tokens, given, classes, i, mask_token);
        if (token_class > 0) {
            state = state < 0 ? -1 : moves[(size_t)token_class * states + state];
            continue;
        }
        way_draw draw = {0.0f, a.is_random, 0.0f, -1, 0.0f, 0.0f, false};
        if (a.is_random) draw.wanted = unit_draw(step_draw(step, b, i, PURPOSE_TOKEN));
        const row here = message_at(messages, i, states), next = message_at(messages, i + 1, states);
        // Without a weight no sequence of the language goes on from here.
        if (state >= 0 && here.m[state] > 0.0f)
            show_ways(
                &draw, &a, row_at(masses.m, masses.e, (size_t)i * class_count), next, wide_at(here.m, here.e, state),
                state, jumps, rounds, blocks, chain, parts);
        const int way = draw.chosen;
        state = way < 0 ? -1 : a.targets[way];
        if (get_local_id(0) == 0) {
            // Confidence 0 says that the position has no distribution: the way is taken, the id is not drawn.
            candidates[i] = way < 0 || confidence[i] == 0.0f ? 0 : a.classes[way];
            // The shares of all completions add up to 1, those of the best ones do not.
            confidence[i] = a.is_random || way < 0 ? draw.share : draw.share / draw.cumulative;
            rests[i] = a.is_random && way >= 0 ? clamp((draw.wanted - draw.before) / draw.share, 0.0f, 1.0f) : 0.0f;
            near_ties[i] |= draw.is_near ? 2 : 0;
        }
    }
}
