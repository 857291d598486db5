// The automaton of a grammar draw: the weights of all completions, from the last position to the first, and then a class
// for every masked position, from the first to the last. grammar_draw.cl runs before and behind. See GrammarDraw.swift.
//
//   message[i][s] = sum over the ways on from s: mass[i][class] * message[i + 1][target]
//
// Legend     S states; arcs[s] = (class, target, state whose ways s shares or -1)
// Work-group ITEMS work-items, which own one sample; global {ITEMS * B}. Work-item k owns states k, k + ITEMS, ...
//            With one work-item a state adds the finished message of the state whose ways it shares, which comes before
//            it; with several, each work-item follows the chain of shared ways itself, so that one barrier a position
//            is enough. The draw that follows is serial, by work-item 0.
// Scratch    messages, B * (padded + 1) * S wide floats
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
    global const int *arcs;
    global const int *moves;
    int states;
    bool is_random;
} automaton;

// The class of a token that stands, given or drawn before; 0 for a masked one.
static inline int standing_class(global const int *tokens, global const int *given, global const int *classes, int i,
                                 int mask_token) {
    if (given[i] > 0) return given[i];
    return tokens[i] == mask_token ? 0 : classes[tokens[i]];
}

// The weight of all sequences that begin with the state's own way.
static inline wide way_weight(const automaton *a, global const wide *masses, global const wide *next, int state) {
    return wide_product(masses[a->arcs[3 * state]], next[a->arcs[3 * state + 1]]);
}

static inline wide joined(const automaton *a, wide x, wide y) { return a->is_random ? wide_sum(x, y) : wide_larger(x, y); }

static inline void open_messages(const automaton *a, global const wide *masses, global const wide *next,
                                 global wide *messages) {
    for (int s = get_local_id(0); s < a->states; s += ITEMS) {
        wide sum = way_weight(a, masses, next, s);
#if ITEMS == 1
        const int shared = a->arcs[3 * s + 2];
        if (shared >= 0) sum = joined(a, sum, messages[shared]);
#else
        for (int shared = a->arcs[3 * s + 2]; shared >= 0; shared = a->arcs[3 * shared + 2])
            sum = joined(a, sum, way_weight(a, masses, next, shared));
#endif
        messages[s] = sum;
    }
}

static inline void standing_messages(const automaton *a, int token_class, global const wide *next,
                                     global wide *messages) {
    const wide zero = {0.0f, WIDE_ZERO_EXPONENT};
    for (int s = get_local_id(0); s < a->states; s += ITEMS) {
        const int target = a->moves[(size_t)token_class * a->states + s];
        messages[s] = target < 0 ? zero : next[target];
    }
}

// The state whose own way is drawn, of those whose ways `state` has; -1 if none has a weight.
static inline int draw_way(const automaton *a, global const wide *masses, global const wide *next, wide sum, int state,
                           float u, float *share, float *rest, bool *is_near) {
    const float wanted = a->is_random ? u : 0.0f;
    float cumulative = 0.0f, before = 0.0f, largest = 0.0f;
    int chosen = -1;
    *is_near = false;
    for (int s = state; s >= 0; s = a->arcs[3 * s + 2]) {
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
    global float *confidence, global int *near_ties, global const wide *masses, global wide *messages,
    global float *rests, int padded, int length, int states, int class_count, int start, float temperature,
    int mask_token
) {
    const int b = get_group_id(0);
    const size_t first = (size_t)b * padded;
    tokens += first;
    given += first;
    candidates += first;
    confidence += first;
    near_ties += first;
    rests += first;
    masses += first * class_count;
    messages += (size_t)b * (padded + 1) * states;
    const automaton a = {arcs, moves, states, temperature > 0.0f};

    const int needed = length > 0 && given[length - 1] == 0 ? END_ALWAYS : END_BEHIND_GIVEN;
    for (int s = get_local_id(0); s < states; s += ITEMS)
        messages[(size_t)length * states + s] = wide_of(ends[s] >= needed ? 1.0f : 0.0f, 0);
    GROUP_BARRIER();
    for (int i = length - 1; i >= 0; i--) {
        global wide *here = messages + (size_t)i * states;
        const int token_class = standing_class(tokens, given, classes, i, mask_token);
        if (token_class > 0) standing_messages(&a, token_class, here + states, here);
        else open_messages(&a, masses + (size_t)i * class_count, here + states, here);
        GROUP_BARRIER();
    }
    if (get_local_id(0) != 0) return;

    int state = messages[start].m > 0.0f ? start : -1;
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
            global const wide *next = messages + (size_t)(i + 1) * states;
            const float u = unit_draw(step_draw(step, b, i, PURPOSE_TOKEN));
            way = draw_way(
                &a, masses + (size_t)i * class_count, next, messages[(size_t)i * states + state], state, u, &share,
                &rest, &is_near);
        }
        state = way < 0 ? -1 : arcs[3 * way + 1];
        // Confidence 0 says that the position has no distribution: the way is taken, the id is not drawn.
        candidates[i] = way < 0 || confidence[i] == 0.0f ? 0 : arcs[3 * way];
        confidence[i] = share;
        rests[i] = rest;
        near_ties[i] |= is_near ? 2 : 0;
    }
}
