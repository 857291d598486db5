// The automaton of a grammar draw: the weights of all completions, from the last position to the first, and then a class
// for every masked position, from the first to the last. grammar_draw.cl runs before and behind. See GrammarDraw.swift.
//
//   message[i][s] = sum over the ways on from s: mass[i][class] * message[i + 1][target]
//
// Legend     S states; state s takes class arcs[s], to state arcs[S + s], and shares the ways of arcs[2 S + s] or none, -1
// Work-group ITEMS work-items, which own one sample; global {ITEMS * B}. Work-item k owns states k, k + ITEMS, ...
//            With one work-item, sixteen states at a time take their own ways, and then each of those that share adds
//            the finished message of the state before it. With several, each follows the chain of shared ways itself,
//            so that one barrier a position is enough. The draw that follows is serial, by work-item 0.
// Scratch    message_m and message_e, B * (padded + 1) * row each, as wide floats; row is S rounded up to 16
// Local      none
// Mirrors    ReferenceBackend/GrammarDraw.swift

#define END_BEHIND_GIVEN 1
#define END_ALWAYS 2

#if ITEMS == 1
#define GROUP_BARRIER()
#else
#define GROUP_BARRIER() barrier(CLK_GLOBAL_MEM_FENCE)
#endif

typedef struct {
    global const int *classes;
    global const int *targets;
    global const int *shared;
    global const int *moves;
    int states;
    // Below this no state shares the ways of another.
    int first_sharing;
    bool is_random;
} automaton;

// Wide floats, one for each class at a position, or for each state before one.
typedef struct {
    global float *m;
    global int *e;
} row;

static inline row row_at(global float *m, global int *e, size_t index) {
    const row here = {m + index, e + index};
    return here;
}

// The class of a token that stands, given or drawn before; 0 for a masked one.
static inline int standing_class(global const int *tokens, global const int *given, global const int *classes, int i,
                                 int mask_token) {
    if (given[i] > 0) return given[i];
    return tokens[i] == mask_token ? 0 : classes[tokens[i]];
}

// The weight of all sequences that begin with the state's own way.
static inline wide way_weight(const automaton *a, row masses, row next, int state) {
    return wide_product(
        wide_at(masses.m, masses.e, a->classes[state]), wide_at(next.m, next.e, a->targets[state]));
}

static inline wide joined(const automaton *a, wide x, wide y) {
    return a->is_random ? wide_sum(x, y) : wide_larger(x, y);
}

#if ITEMS == 1
static inline void open_messages(const automaton *a, row masses, row next, row here) {
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
    for (int s = a->first_sharing; s < a->states; s++) {
        const int shared = a->shared[s];
        const wide sum = joined(a, wide_at(here.m, here.e, s), wide_at(here.m, here.e, shared));
        wide_store(sum, here.m, here.e, s);
    }
}
#else
static inline void open_messages(const automaton *a, row masses, row next, row here) {
    for (int s = get_local_id(0); s < a->states; s += ITEMS) {
        wide sum = way_weight(a, masses, next, s);
        for (int shared = a->shared[s]; shared >= 0; shared = a->shared[shared])
            sum = joined(a, sum, way_weight(a, masses, next, shared));
        wide_store(sum, here.m, here.e, s);
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

// The state whose own way is drawn, of those whose ways `state` has; -1 if none has a weight.
static inline int draw_way(const automaton *a, row masses, row next, wide sum, int state, float u, float *share,
                           float *rest, bool *is_near) {
    const float wanted = a->is_random ? u : 0.0f;
    float cumulative = 0.0f, before = 0.0f, largest = 0.0f;
    int chosen = -1;
    *is_near = false;
    for (int s = state; s >= 0; s = a->shared[s]) {
        const float part = wide_share(way_weight(a, masses, next, s), sum);
        if (part <= 0.0f) continue;
        if (a->is_random) {
            *is_near = *is_near || (cumulative > 0.0f && fabs(cumulative - wanted) < NEAR_TIE);
        } else {
            *is_near = chosen >= 0 && (fabs(part - largest) < NEAR_TIE || (*is_near && part <= largest));
        }
        // Rounding may leave the sum below a draw close to 1: then the last way is taken.
        if (a->is_random ? cumulative <= wanted : part > largest) {
            chosen = s;
            before = cumulative;
            largest = part;
        }
        cumulative += part;
    }
    *share = a->is_random ? largest : 1.0f;
    *rest = a->is_random && largest > 0.0f ? clamp((wanted - before) / largest, 0.0f, 1.0f) : 0.0f;
    return chosen;
}

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void grammar_path(
    global const int *tokens, global const int *given, global const int *classes, global const int *arcs,
    global const int *moves, global const int *ends, global const int *step, global int *candidates,
    global float *confidence, global int *near_ties, global float *mass_m, global int *mass_e,
    global float *message_m, global int *message_e, global float *rests, int padded, int length, int states,
    int class_count, int start, float temperature, int mask_token
) {
    const int b = get_group_id(0);
    const size_t first = (size_t)b * padded;
    tokens += first;
    given += first;
    candidates += first;
    confidence += first;
    near_ties += first;
    rests += first;
    const int stride = ceil_div(states, 16) * 16;
    const row masses = row_at(mass_m, mass_e, first * class_count);
    const row messages = row_at(message_m, message_e, (size_t)b * (padded + 1) * stride);
    automaton a = {arcs, arcs + states, arcs + 2 * states, moves, states, 0, temperature > 0.0f};
    while (a.first_sharing < states && a.shared[a.first_sharing] < 0) a.first_sharing++;

    const int needed = length > 0 && given[length - 1] == 0 ? END_ALWAYS : END_BEHIND_GIVEN;
    const row end = row_at(messages.m, messages.e, (size_t)length * stride);
    for (int s = get_local_id(0); s < states; s += ITEMS)
        wide_store(wide_of(ends[s] >= needed ? 1.0f : 0.0f, 0), end.m, end.e, s);
    GROUP_BARRIER();
    for (int i = length - 1; i >= 0; i--) {
        const row here = row_at(messages.m, messages.e, (size_t)i * stride);
        const row next = row_at(here.m, here.e, stride);
        const int token_class = standing_class(tokens, given, classes, i, mask_token);
        if (token_class > 0) standing_messages(&a, token_class, next, here);
        else open_messages(&a, row_at(masses.m, masses.e, (size_t)i * class_count), next, here);
        GROUP_BARRIER();
    }
    if (get_local_id(0) != 0) return;

    int state = messages.m[start] > 0.0f ? start : -1;
    for (int i = 0; i < length; i++) {
        const int token_class = standing_class(tokens, given, classes, i, mask_token);
        if (token_class > 0) {
            state = state < 0 ? -1 : moves[(size_t)token_class * states + state];
            continue;
        }
        int way = -1;
        float share = 0.0f, rest = 0.0f;
        bool is_near = false;
        if (state >= 0) {
            const row here = row_at(messages.m, messages.e, (size_t)i * stride);
            const float u = unit_draw(step_draw(step, b, i, PURPOSE_TOKEN));
            way = draw_way(
                &a, row_at(masses.m, masses.e, (size_t)i * class_count), row_at(here.m, here.e, stride),
                wide_at(here.m, here.e, state), state, u, &share, &rest, &is_near);
        }
        state = way < 0 ? -1 : a.targets[way];
        // Confidence 0 says that the position has no distribution: the way is taken, the id is not drawn.
        candidates[i] = way < 0 || confidence[i] == 0.0f ? 0 : a.classes[way];
        confidence[i] = share;
        rests[i] = rest;
        near_ties[i] |= is_near ? 2 : 0;
    }
}
