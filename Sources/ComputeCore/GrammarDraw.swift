/// Draws candidates for all masked positions together, so that the whole sequence is well formed:
/// x ~ ∏ p_i(x_i) · [x is in the automaton's language and agrees with the tokens so far].
///
/// B samples, L positions, V token ids, S states and C classes of a ``TokenAutomaton``. p_i is softmax(logits[b, i] / T)
/// over the ids that have a class. With the mass w_i(c) of a class, the sum of p_i over its ids, the draw is exact:
///
///     β_length(s) = [a sequence may end in s]
///     β_i(s)      = Σ_c w_i(c) · β_{i+1}(move(s, c))            c the token's class alone where it is not masked
///     P(x_i = v)  = p_i(v) · β_{i+1}(move(s, c)) / β_i(s)       s the state behind x_0 … x_{i−1}, c the class of v
///
/// The candidate is the first id, in the order of the state's ways and by id within a class, at which the cumulative
/// probability exceeds u, where u = ``Philox/unit(_:)`` of the draw (position, step, sample, token): one number per
/// position. T = 0 is the limit of small T, the most probable sequence, max in the place of Σ; of equal ways the first,
/// of equal ids the lowest.
///
/// Top-p restricts every p_i before the automaton does, to the set of ``TokenDraw``. Where no well-formed sequence is left,
/// ids outside the sets are drawn after all, in as few positions as possible: each weighs 2^−16384 of what it would.
/// A finite logit more than 8192 · ln 2 · T below its row's greatest counts as that far below.
///
/// Where no id has a probability, because a logit is NaN or +∞ or all are −∞, the position is drawn over as if all ids were
/// equally probable, the candidate is [MASK] and the confidence 0. Where no well-formed sequence has a probability, so is
/// every masked position of the sample.
///
/// Source of the method: forward filtering and backward sampling of a hidden Markov chain, with the directions exchanged;
/// Rabiner, "A tutorial on hidden Markov models", Proc. IEEE 77, 1989.
public struct GrammarDraw: Operation {
    public static let name = "grammar_draw"

    /// Logits [B, L, V].
    public let logits: Tensor
    /// The tokens so far [B, L], int32; the masked ones equal ``maskToken``.
    public let tokens: Tensor
    /// The language.
    public let automaton: Automaton
    /// See ``StepParameters``.
    public let step: Tensor
    /// T, not negative.
    public let temperature: Float
    /// p, in (0, 1].
    public let topP: Float
    /// Positions from here on are padding; their candidate is [MASK].
    public let length: Int
    /// The id of [MASK].
    public let maskToken: Int32
    /// The candidates [B, L], int32.
    public let candidates: Tensor
    /// The probability with which each candidate was drawn after those before it, [B, L]; 1 where it stood already.
    ///
    /// At T = 0 the share that the best sequence through the candidate's way has of those through all ways, times the
    /// candidate's share of its class at T = 1.
    public let confidence: Tensor
    /// Where devices may differ; [B, L], int32.
    ///
    /// Bit 0 is set where the last draw of an id came within
    /// ``TokenDraw/nearTie`` of a boundary inside its class, bit 1 where any draw so far came as near to one between
    /// classes or of a top-p set, which may move every candidate behind.
    public let nearTies: Tensor

    /// A ``TokenAutomaton`` as it lies on the device.
    public struct Automaton: Hashable, Sendable {
        /// The class of each given token, 0 where none is given: ``TokenAutomaton/givenClasses(of:mask:)``; [B, L], int32.
        public let given: Tensor
        /// ``TokenAutomaton/classes``, [V], int32.
        public let classes: Tensor
        /// ``TokenAutomaton/arcs``, [3, S], int32.
        public let arcs: Tensor
        /// ``TokenAutomaton/moves``, [C, S], int32.
        public let moves: Tensor
        /// ``TokenAutomaton/ends``, [S], int32.
        public let ends: Tensor
        /// ``TokenAutomaton/drawnClassCount``.
        public let drawnClassCount: Int
        /// ``TokenAutomaton/start``.
        public let start: Int32
        /// ``TokenAutomaton/longestChain``, or more.
        public let longestChain: Int

        /// An automaton in five tensors.
        public init(
            given: Tensor, classes: Tensor, arcs: Tensor, moves: Tensor, ends: Tensor, drawnClassCount: Int,
            start: Int32, longestChain: Int
        ) {
            self.given = given
            self.classes = classes
            self.arcs = arcs
            self.moves = moves
            self.ends = ends
            self.drawnClassCount = drawnClassCount
            self.start = start
            self.longestChain = longestChain
        }
    }

    /// log₂ of what an id outside its top-p set weighs.
    public static let topPPenalty = -16384
    /// log₂ of the least weight of an id whose logit is finite, the greatest being 1.
    public static let leastLogWeight = -8192
    /// The longest sequence whose weights 32-bit exponents hold.
    public static let longestLength = 32768

    /// Describes a draw.
    public init(
        logits: Tensor, tokens: Tensor, automaton: Automaton, step: Tensor, temperature: Float, topP: Float,
        length: Int, maskToken: Int32, candidates: Tensor, confidence: Tensor, nearTies: Tensor
    ) {
        self.logits = logits
        self.tokens = tokens
        self.automaton = automaton
        self.step = step
        self.temperature = temperature
        self.topP = topP
        self.length = length
        self.maskToken = maskToken
        self.candidates = candidates
        self.confidence = confidence
        self.nearTies = nearTies
    }

    /// S, the states of the automaton.
    public var stateCount: Int { automaton.ends.shape[0] }

    public var operands: [Operand] {
        [
            Operand("logits", logits, .read), Operand("tokens", tokens, .read),
            Operand("given", automaton.given, .read), Operand("classes", automaton.classes, .read),
            Operand("arcs", automaton.arcs, .read), Operand("moves", automaton.moves, .read),
            Operand("ends", automaton.ends, .read), Operand("step", step, .read),
            Operand("candidates", candidates, .write), Operand("confidence", confidence, .write),
            Operand("nearTies", nearTies, .update),
        ]
    }

    public var work: Work {
        Work(flops: 6 * logits.shape.elementCount + 6 * logits.shape[0] * length * stateCount, bytes: traffic())
    }

    public func validate() throws(ValidationError) {
        try validator.require(logits, "logits", rank: 3)
        let positions: Shape = [logits.shape[0], logits.shape[1]]
        try validator.require(tokens, "tokens", is: positions, of: .int32)
        try validator.require(automaton.given, "given", is: positions, of: .int32)
        try validator.require(automaton.classes, "classes", is: [logits.shape[2]], of: .int32)
        try validator.require(automaton.ends, "ends", rank: 1, of: .int32)
        try validator.require(automaton.arcs, "arcs", is: [3, stateCount], of: .int32)
        try validator.require(automaton.moves, "moves", rank: 2, of: .int32)
        try validator.require(
            automaton.moves, "moves", is: [automaton.moves.shape[0], stateCount], of: .int32)
        try validator.require(
            (1...automaton.moves.shape[0]).contains(automaton.drawnClassCount), "drawnClassCount",
            "1...\(automaton.moves.shape[0])", "\(automaton.drawnClassCount)")
        try validator.require(
            (0..<stateCount).contains(Int(automaton.start)), "start", "a state in 0..<\(stateCount)",
            "\(automaton.start)")
        try validator.require(
            (1...stateCount).contains(automaton.longestChain), "longestChain", "1...\(stateCount)",
            "\(automaton.longestChain)")
        try validator.require(step, "step", is: StepParameters.shape, of: .int32)
        try validator.require(candidates, "candidates", is: positions, of: .int32)
        try validator.require(confidence, "confidence", is: positions)
        try validator.require(nearTies, "nearTies", is: positions, of: .int32)
        try validator.require(
            temperature >= 0 && temperature.isFinite, "temperature", "a number that is not negative", "\(temperature)")
        try validator.require(topP > 0 && topP <= 1, "topP", "a number in (0, 1]", "\(topP)")
        let longest = min(tokens.shape[1], Self.longestLength)
        try validator.require((0...longest).contains(length), "length", "0...\(longest)", "\(length)")
    }
}
