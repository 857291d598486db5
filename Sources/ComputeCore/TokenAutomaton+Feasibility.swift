/// A partly given sequence that no choice of the open tokens completes.
public struct InfeasibleSequence: Error, Equatable, Sendable, CustomStringConvertible {
    /// The open tokens that cannot be filled; empty where given tokens alone are refused, or the end behind them.
    public let open: Range<Int>
    /// The nearest numbers of open tokens, below and above, that could be filled there.
    public let possible: [Int]

    /// A sequence whose tokens `open` cannot be filled.
    public init(open: Range<Int>, possible: [Int]) {
        self.open = open
        self.possible = possible
    }

    /// One line: what was asked and what is possible.
    public var description: String {
        guard !open.isEmpty else {
            return "token \(open.lowerBound): no well-formed piece goes on there as the given tokens do"
        }
        let asked =
            "tokens \(open.lowerBound) to \(open.upperBound - 1): no well-formed piece fills these \(open.count)"
        let counts = possible.map(String.init).joined(separator: " or ")
        return possible.isEmpty ? "\(asked), nor any other number near it" : "\(asked); \(counts) would do"
    }
}

extension TokenAutomaton {
    /// Whether a sequence could have been drawn, no token of it being given.
    package func admits(_ drawn: [Int32]) -> Bool {
        var state = Int(start)
        for token in drawn {
            guard classes.indices.contains(Int(token)), let next = move(from: state, on: classes[Int(token)]) else {
                return false
            }
            state = next
        }
        return ends[state] == End.always.rawValue
    }

    /// Checks that the open tokens of a sequence can be drawn.
    ///
    /// - Parameters:
    ///   - tokens: The sequence; `mask` where a token is to be drawn.
    ///   - mask: The id of [MASK].
    /// - Throws: ``InfeasibleSequence`` naming the first open tokens that cannot be filled.
    public func check(_ tokens: [Int32], mask: Int32) throws(InfeasibleSequence) {
        let given = givenClasses(of: tokens, mask: mask)
        let completable = completableStates(given, tokens: tokens, mask: mask)
        var reached = StateSet(stateCount)
        reached.insert(Int(start))
        guard reached.isDisjoint(with: completable[0]) else { return }
        // The start cannot be completed. The culprit is the last run of open tokens that is entered from where the
        // tokens before lead, and left nowhere from which the tokens behind go on.
        let ways = OpenWays(self)
        var run = 0..<0
        var entered = reached
        for position in tokens.indices {
            let isOpen = tokens[position] == mask
            if isOpen, position == 0 || tokens[position - 1] != mask { (run, entered) = (position..<position, reached) }
            if isOpen { run = run.lowerBound..<position + 1 }
            let next = isOpen ? ways.states(behind: reached) : states(behind: reached, on: given[position])
            if next.isEmpty {
                if run.isEmpty { throw InfeasibleSequence(open: position..<position, possible: []) }
                break
            }
            reached = next
        }
        guard !run.isEmpty else { throw InfeasibleSequence(open: tokens.count..<tokens.count, possible: []) }
        let behind = tokens[run.lowerBound...].firstIndex { $0 != mask } ?? tokens.count
        run = run.lowerBound..<behind
        throw InfeasibleSequence(
            open: run, possible: ways.counts(near: run.count, from: entered, to: completable[behind]))
    }

    /// For each position, and the end, the states from which the tokens from there on can be completed.
    private func completableStates(_ given: [Int32], tokens: [Int32], mask: Int32) -> [StateSet] {
        let ways = OpenWays(self)
        let needed = given.last.map { $0 > 0 } ?? true ? End.behindGiven : End.always
        var sets = [StateSet](repeating: StateSet(stateCount), count: tokens.count + 1)
        for state in 0..<stateCount where ends[state] >= needed.rawValue { sets[tokens.count].insert(state) }
        for position in tokens.indices.reversed() {
            let next = sets[position + 1]
            if tokens[position] == mask {
                sets[position] = ways.states(before: next)
            } else {
                for state in 0..<stateCount {
                    if let target = move(from: state, on: given[position]), next.contains(target) {
                        sets[position].insert(state)
                    }
                }
            }
        }
        return sets
    }

    private func states(behind reached: StateSet, on tokenClass: Int32) -> StateSet {
        var next = StateSet(stateCount)
        for state in 0..<stateCount where reached.contains(state) {
            if let target = move(from: state, on: tokenClass) { next.insert(target) }
        }
        return next
    }
}

/// The arcs whose class has an id that may be drawn.
private struct OpenWays {
    private let arcs: [(target: Int?, otherwise: Int?)]

    init(_ automaton: TokenAutomaton) {
        let classes = Set(automaton.classes).subtracting([0])
        let count = automaton.stateCount
        arcs = (0..<count).map { state in
            let (tokenClass, target, otherwise) =
                (automaton.arcs[state], automaton.arcs[count + state], automaton.arcs[2 * count + state])
            return (classes.contains(tokenClass) ? Int(target) : nil, otherwise < 0 ? nil : Int(otherwise))
        }
    }

    func states(before next: StateSet) -> StateSet {
        var states = StateSet(arcs.count)
        for (state, arc) in arcs.enumerated()
        where arc.target.map(next.contains) ?? false || arc.otherwise.map(states.contains) ?? false {
            states.insert(state)
        }
        return states
    }

    func states(behind reached: StateSet) -> StateSet {
        var (sharing, next) = (reached, StateSet(arcs.count))
        for (state, arc) in arcs.enumerated().reversed() where sharing.contains(state) {
            if let target = arc.target { next.insert(target) }
            if let otherwise = arc.otherwise { sharing.insert(otherwise) }
        }
        return next
    }

    /// The greatest number below `count`, and the least above, of open tokens that lead from one set into the other.
    func counts(near count: Int, from entered: StateSet, to left: StateSet) -> [Int] {
        var reached = entered
        var below: Int?
        for number in 0...2 * count + 64 {
            if !reached.isDisjoint(with: left) {
                if number > count { return (below.map { [$0] } ?? []) + [number] }
                below = number
            }
            reached = states(behind: reached)
        }
        return below.map { [$0] } ?? []
    }
}

/// Some states of an automaton.
private struct StateSet {
    private var members: [Bool]
    private(set) var isEmpty = true

    init(_ stateCount: Int) {
        members = [Bool](repeating: false, count: stateCount)
    }

    func contains(_ state: Int) -> Bool { members[state] }

    mutating func insert(_ state: Int) {
        members[state] = true
        isEmpty = false
    }

    func isDisjoint(with other: StateSet) -> Bool {
        !zip(members, other.members).contains { $0 && $1 }
    }
}
