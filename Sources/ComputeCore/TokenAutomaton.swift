/// A deterministic automaton over token ids: which sequences of tokens are well formed.
///
/// Tokens act through classes: every id that may be drawn belongs to one, and the automaton moves from state to state by
/// class. A state has at most one way of its own, an ``Arc``, and may share all the ways of another state, so that a
/// choice of n classes is a chain of n states that other states join where they need to. Summing over the ways on from
/// every state then costs one addition per state.
///
/// Tokens that stand before the draw move it by classes of their own, which may lead where no drawn token leads: what
/// binds the draw need not bind what is given.
///
/// V token ids, C classes, C′ ≤ C of them drawn, S states. Class 0 belongs to ids that are never drawn.
public struct TokenAutomaton: Hashable, Sendable {
    /// The ways on from a state: its own, and those of another state.
    public struct Arc: Hashable, Sendable {
        /// The class that the state takes itself; 0 for none.
        public let tokenClass: Int
        /// The state that it leads to.
        public let target: Int
        /// A state of lower number whose ways this state has too, behind its own.
        ///
        /// States with one come last.
        public let otherwise: Int?

        /// The ways on from a state.
        public init(on tokenClass: Int = 0, to target: Int = 0, otherwise: Int? = nil) {
            self.tokenClass = tokenClass
            self.target = target
            self.otherwise = otherwise
        }
    }

    /// Whether a sequence may end in a state.
    public enum End: Int32, Hashable, Sendable {
        /// No sequence ends here.
        case never = 0
        /// A sequence ends here if its last token was given.
        case behindGiven = 1
        /// Every sequence may end here.
        case always = 2
    }

    /// The class of each id when it is drawn, 0 if it never is; [V].
    public let classes: [Int32]
    /// The class of each id as a given token that begins the sequence or stands behind a given one; [V].
    public let givenClasses: [Int32]
    /// The class of each id as a given token right behind a drawn one; [V].
    public let joiningClasses: [Int32]
    /// C′, the classes of drawn ids, class 0 among them; they come before the others.
    public let drawnClassCount: Int
    /// The classes of the arcs, their targets, and the states whose ways they share or −1; [3, S].
    public let arcs: [Int32]
    /// The state that a token of a class leads to from each state, −1 for none; [C, S].
    public let moves: [Int32]
    /// An ``End`` for each state; [S].
    public let ends: [Int32]
    /// The state before the first token.
    public let start: Int32
    /// The most states of a chain in which each but the last shares the ways of the next.
    public let longestChain: Int

    /// S, the number of states.
    public var stateCount: Int { ends.count }
    /// C, the number of classes, those of given tokens and class 0 among them.
    public var classCount: Int { moves.count / max(stateCount, 1) }

    /// An automaton.
    ///
    /// - Parameters:
    ///   - classes: The class of each drawn id, 0 if it is never drawn.
    ///   - givenClasses: See ``givenClasses``; those of drawn ids if nil.
    ///   - joiningClasses: See ``joiningClasses``; those of drawn ids if nil.
    ///   - arcs: For each state the ways on from it.
    ///   - givenMoves: For each class behind those of `arcs`, the state that it leads to from each state, nil for none.
    ///   - ends: For each state whether a sequence may end there.
    ///   - start: The state before the first token.
    /// - Throws: ``ValidationError`` for a state or class that does not exist, or two ways on for one class.
    public init(
        classes: [Int], givenClasses: [Int]? = nil, joiningClasses: [Int]? = nil, arcs: [Arc],
        givenMoves: [[Int?]] = [], ends: [End], start: Int
    ) throws(ValidationError) {
        let check = Validator(operation: "token automaton")
        let states = arcs.indices
        let drawn = 1 + max(arcs.map(\.tokenClass).max() ?? 0, classes.max() ?? 0)
        try check.require(ends.count == arcs.count, "ends", "\(arcs.count), one per state", "\(ends.count)")
        try check.require(states.contains(start), "start", "a state in \(states)", "\(start)")
        for (state, arc) in arcs.enumerated() {
            try check.require(arc.tokenClass >= 0, "arc \(state)", "a class from 0 on", "\(arc.tokenClass)")
            try check.require(states.contains(arc.target), "arc \(state)", "a target in \(states)", "\(arc.target)")
            let mayBeAlone = state == 0 || arcs[state - 1].otherwise == nil
            try check.require(arc.otherwise != nil || mayBeAlone, "arc \(state)", "a state to share, as before", "none")
            if let other = arc.otherwise {
                try check.require((0..<state).contains(other), "arc \(state)", "a lower state to share", "\(other)")
            }
        }
        for (index, row) in givenMoves.enumerated() {
            let isSound = row.count == arcs.count && row.allSatisfy { $0.map(states.contains) ?? true }
            try check.require(isSound, "given moves \(index)", "\(arcs.count) states in \(states)", "\(row)")
        }
        for table in [givenClasses ?? classes, joiningClasses ?? classes] {
            try check.require(
                table.count == classes.count, "given classes", "\(classes.count), one per id", "\(table.count)")
        }
        for table in [classes, givenClasses ?? [], joiningClasses ?? []] {
            let known = 0..<drawn + givenMoves.count
            try check.require(table.allSatisfy(known.contains), "classes", "classes in \(known)", "\(table)")
        }
        self.classes = classes.map(Int32.init)
        self.givenClasses = (givenClasses ?? classes).map(Int32.init)
        self.joiningClasses = (joiningClasses ?? classes).map(Int32.init)
        drawnClassCount = drawn
        self.arcs = (arcs.map(\.tokenClass) + arcs.map(\.target) + arcs.map { $0.otherwise ?? -1 }).map(Int32.init)
        moves =
            try Self.drawnMoves(arcs, classCount: drawn)
            + givenMoves.joined().map { target in target.map(Int32.init) ?? -1 }
        self.ends = ends.map(\.rawValue)
        self.start = Int32(start)
        let lengths = arcs.reduce(into: [Int]()) { lengths, arc in
            lengths.append(1 + (arc.otherwise.map { lengths[$0] } ?? 0))
        }
        longestChain = lengths.max() ?? 1
    }

    private init(_ other: TokenAutomaton, classes: [Int32]) {
        self.classes = classes
        givenClasses = other.givenClasses
        joiningClasses = other.joiningClasses
        drawnClassCount = other.drawnClassCount
        arcs = other.arcs
        moves = other.moves
        ends = other.ends
        start = other.start
        longestChain = other.longestChain
    }

    /// The automaton that never draws the other ids; where they are given, nothing changes.
    public func drawing(only allowed: [Bool]) -> TokenAutomaton {
        TokenAutomaton(self, classes: zip(classes, allowed).map { $1 ? $0 : 0 })
    }

    /// What follows from the arcs, as a table [C′, S].
    private static func drawnMoves(_ arcs: [Arc], classCount: Int) throws(ValidationError) -> [Int32] {
        var moves = [Int32](repeating: -1, count: classCount * arcs.count)
        for state in arcs.indices {
            var next: Int? = state
            while let arc = next.map({ arcs[$0] }) {
                let entry = arc.tokenClass * arcs.count + state
                if arc.tokenClass > 0 {
                    try Validator(operation: "token automaton").require(
                        moves[entry] < 0, "arc \(state)", "one way on for class \(arc.tokenClass)", "two")
                    moves[entry] = Int32(arc.target)
                }
                next = arc.otherwise
            }
        }
        return moves
    }
}

extension TokenAutomaton {
    /// For each token of a sequence the class by which it moves the automaton as a given token; 0 where it is open.
    public func givenClasses(of tokens: [Int32], mask: Int32) -> [Int32] {
        tokens.indices.map { position in
            let token = tokens[position]
            guard token != mask else { return 0 }
            let isJoining = position > 0 && tokens[position - 1] == mask
            return isJoining ? joiningClasses[Int(token)] : givenClasses[Int(token)]
        }
    }

    /// The state that a token of a class leads to, nil for none.
    func move(from state: Int, on tokenClass: Int32) -> Int? {
        let target = moves[Int(tokenClass) * stateCount + state]
        return target < 0 ? nil : Int(target)
    }
}

extension TokenAutomaton {
    /// The automaton as tensors, by the names under which ``Plan/automaton(_:positions:)`` declares them.
    public var tables: [String: HostTensor] {
        get throws(ValidationError) {
            [
                "classes": try HostTensor([classes.count], classes), "arcs": try HostTensor([3, stateCount], arcs),
                "moves": try HostTensor([classCount, stateCount], moves), "ends": try HostTensor([stateCount], ends),
            ]
        }
    }
}

extension Plan {
    /// Declares the inputs of a draw under an automaton: its ``TokenAutomaton/tables``, and `given`, the classes of the
    /// given tokens [B, L].
    public mutating func automaton(_ automaton: TokenAutomaton, positions: Shape) -> GrammarDraw.Automaton {
        GrammarDraw.Automaton(
            given: input("given", positions, .int32), classes: input("classes", [automaton.classes.count], .int32),
            arcs: input("arcs", [3, automaton.stateCount], .int32),
            moves: input("moves", [automaton.classCount, automaton.stateCount], .int32),
            ends: input("ends", [automaton.stateCount], .int32), drawnClassCount: automaton.drawnClassCount,
            start: automaton.start, longestChain: automaton.longestChain)
    }
}
