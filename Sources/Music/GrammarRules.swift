import ComputeCore

/// What a token is to the grammar.
enum GrammarSymbol: Hashable, Comparable {
    case bar
    case position(Int)
    /// A pitch by its place among the pitches that may be drawn: how many of them are lower, and how many not higher.
    /// Where pitches need not rise, 0 and 0 for every pitch.
    case pitch(below: Int, upTo: Int)
    case velocity
    case duration
    /// What follows the end of a piece.
    case padding
    /// Another special token, which says nothing about the piece.
    case other
}

/// Where a sequence stands in the grammar.
struct GrammarState: Hashable {
    /// The last token, or the choice that is still open.
    enum Phase: Hashable {
        /// Nothing has come yet.
        case start
        /// Behind a Bar that may stay empty.
        case bar
        /// Behind a Bar to which a note must come: the choice of a position from `position` on.
        case filledBar
        /// Behind a Position: the choice of a pitch from `rung` on.
        case position
        /// Behind a Pitch.
        case pitch
        /// Behind a Velocity.
        case velocity
        /// Behind a Duration: the choice of another pitch from `rung` on, or what comes later.
        case note
        /// The choice of a later position, Bar or the end.
        case later
        /// The choice of the end.
        case ending
        /// Behind the end.
        case padding
    }

    var phase: Phase
    /// Bars that are still to be drawn; 0 where they are not counted.
    var bars: Int
    /// The last position in the bar.
    var position = 0
    /// Notes that began at the position; 0 where they are not counted.
    var notes = 0
    /// How many of the pitches that may be drawn are no longer open at the position; 0 where pitches need not rise.
    var rung = 0
    /// Whether the file's bar that began last still has no note; false where it needs none.
    var owesNote = false

    /// Whether a sequence can be here; other states only hold ways that several states share.
    var isPlace: Bool {
        switch phase {
        case .later, .ending: false
        case .filledBar: position == 0
        case .position: rung == 0
        default: true
        }
    }

    func at(_ phase: Phase) -> GrammarState {
        var next = self
        next.phase = phase
        return next
    }
}

/// The grammar of REMI as states and the ways between them.
struct GrammarRules {
    /// Positions in a bar.
    let positionCount: Int
    /// The pitches that may be drawn, rising.
    let pitches: [Int]
    /// Whether drawn pitches at one position rise.
    let isRising: Bool
    /// The most notes that begin together; any number if nil.
    let largestChord: Int?
    /// Whether notes have a velocity token.
    let usesVelocities: Bool
    /// Whether a drawn bar may be without notes.
    let allowsEmptyBars: Bool
    /// Bar tokens to draw, of which the last has notes; any number if nil.
    let barCount: Int?
    /// Whether more of them may be drawn.
    let allowsMoreBars: Bool
    /// The position at which the file's bars begin in those of the tokens.
    let barOffset: Int
    /// Whether PAD may be drawn.
    let allowsPadding: Bool

    var start: GrammarState { GrammarState(phase: .start, bars: barCount ?? 0) }

    private var rungCount: Int { isRising ? pitches.count : 1 }
}

// MARK: - Symbols

extension GrammarRules {
    /// What may be drawn.
    var drawnSymbols: [GrammarSymbol] {
        [.bar] + (0..<positionCount).map { .position($0) }
            + (0..<rungCount).map { isRising ? .pitch(below: $0, upTo: $0 + 1) : .pitch(below: 0, upTo: 0) }
            + (usesVelocities ? [.velocity] : []) + [.duration] + (allowsPadding ? [.padding] : [])
    }

    /// The symbol of a token that may be drawn.
    func drawnSymbol(of token: Token) -> GrammarSymbol? {
        switch token {
        case .pitch(let pitch) where !pitches.contains(pitch): nil
        case .special where token != .pad: nil
        default: givenSymbol(of: token)
        }
    }

    /// The symbol of a given token.
    func givenSymbol(of token: Token) -> GrammarSymbol {
        switch token {
        case .bar: .bar
        case .position(let position): .position(position)
        case .pitch(let pitch):
            isRising
                ? .pitch(below: pitches.count { $0 < pitch }, upTo: pitches.count { $0 <= pitch })
                : .pitch(below: 0, upTo: 0)
        case .velocity: .velocity
        case .duration: .duration
        case .pad, .eos: .padding
        case .special: .other
        }
    }
}

// MARK: - Drawn tokens

extension GrammarRules {
    /// The way of its own that a state has.
    func way(from state: GrammarState) -> (symbol: GrammarSymbol, target: GrammarState)? {
        switch state.phase {
        case .start: return barWay(from: state)
        case .bar: return (.position(0), position(0, in: state))
        case .filledBar: return (.position(state.position), position(state.position, in: state))
        case .later:
            let next = state.position + 1
            return next < positionCount ? (.position(next), position(next, in: state)) : barWay(from: state)
        case .position, .note:
            guard state.rung < rungCount, state.phase == .position || !isFull(state) else { return nil }
            let symbol = GrammarSymbol.pitch(below: state.rung, upTo: isRising ? state.rung + 1 : 0)
            return (symbol, pitch(upTo: isRising ? state.rung + 1 : 0, in: state))
        case .pitch where usesVelocities: return (.velocity, state.at(.velocity))
        case .pitch, .velocity: return (.duration, state.at(.note))
        case .ending, .padding:
            return allowsPadding ? (.padding, GrammarState(phase: .padding, bars: state.bars)) : nil
        }
    }

    /// The state whose ways a state has too.
    func otherwise(_ state: GrammarState) -> GrammarState? {
        let hasNextRung = isRising && state.rung + 1 < rungCount
        var next = state
        switch state.phase {
        case .bar:
            return GrammarState(phase: .later, bars: state.bars, owesNote: leavesNoteOwed(state))
        case .filledBar where state.position + 1 < (state.owesNote ? barOffset : positionCount):
            next.position += 1
            return next
        case .later where state.position + 1 < positionCount:
            next.position += 1
            return next
        case .later: return allowsPadding && state.bars == 0 ? GrammarState(phase: .ending, bars: 0) : nil
        case .position where hasNextRung, .note where hasNextRung && !isFull(state):
            next.rung += 1
            return next
        case .note:
            return GrammarState(
                phase: .later, bars: state.bars, position: state.position, owesNote: leavesNoteOwed(state))
        default: return nil
        }
    }

    /// Whether a sequence may end in a state.
    func end(_ state: GrammarState) -> TokenAutomaton.End {
        guard state.bars == 0, state.isPlace else { return .never }
        switch state.phase {
        case .bar, .note, .padding: return .always
        default: return .behindGiven
        }
    }

    private func isLastBar(_ state: GrammarState) -> Bool { barCount != nil && state.bars == 0 }

    /// Whether a Bar right behind a state finds the file's bar without a note.
    private func leavesNoteOwed(_ state: GrammarState) -> Bool {
        switch state.phase {
        case .bar, .filledBar: barOffset > 0
        case .note: state.position < barOffset
        default: state.owesNote
        }
    }

    private func isFull(_ state: GrammarState) -> Bool { largestChord.map { state.notes >= $0 } ?? false }

    private func barWay(from state: GrammarState) -> (symbol: GrammarSymbol, target: GrammarState)? {
        guard state.bars > 0 || barCount == nil || allowsMoreBars else { return nil }
        return (.bar, bar(left: max(state.bars - 1, 0), owesNote: state.owesNote))
    }

    private func bar(left: Int, owesNote: Bool) -> GrammarState {
        let next = GrammarState(phase: .bar, bars: left)
        guard isLastBar(next) || !allowsEmptyBars else { return next }
        return GrammarState(phase: .filledBar, bars: left, owesNote: owesNote)
    }

    private func position(_ position: Int, in state: GrammarState) -> GrammarState {
        GrammarState(phase: .position, bars: state.bars, position: position)
    }

    private func pitch(upTo rung: Int, in state: GrammarState) -> GrammarState {
        GrammarState(
            phase: .pitch, bars: state.bars, position: state.position,
            notes: largestChord.map { min(state.notes + 1, $0) } ?? 0, rung: max(state.rung, rung))
    }
}

// MARK: - Given tokens

extension GrammarRules {
    /// The state behind a given token that stands behind another or begins the piece; one for every symbol and place.
    func state(behind symbol: GrammarSymbol, from state: GrammarState) -> GrammarState? {
        guard state.isPlace else { return nil }
        var note = state
        note.notes = largestChord.map { min(max(state.notes, 1), $0) } ?? 0
        switch symbol {
        // What given tokens alone leave is not the drawn ones' to fill; what drawn ones leave has to be filled.
        case .bar: return state.owesNote ? nil : bar(left: state.bars, owesNote: false)
        case .position(let position):
            return state.owesNote && position >= barOffset ? nil : self.position(position, in: state)
        case .pitch(_, let rung): return pitch(upTo: rung, in: state)
        case .velocity: return note.at(.velocity)
        case .duration: return note.at(.note)
        case .padding: return GrammarState(phase: .padding, bars: state.bars)
        case .other: return state
        }
    }

    /// The state behind a given token right behind a drawn one; nil where it does not continue what was drawn.
    func state(joining symbol: GrammarSymbol, from state: GrammarState) -> GrammarState? {
        let continues =
            switch (state.phase, symbol) {
            case (.bar, .bar), (.note, .bar): true
            case (.filledBar, .bar), (.filledBar, .padding), (.filledBar, .other): allowsEmptyBars
            case (.bar, .position), (.filledBar, .position): true
            case (.note, .position(let position)): position > state.position
            case (.position, .pitch): true
            case (.note, .pitch(let below, _)): below >= state.rung
            case (.pitch, .velocity): usesVelocities
            case (.pitch, .duration): !usesVelocities
            case (.velocity, .duration): true
            case (.bar, .padding), (.note, .padding), (.padding, .padding): true
            case (.bar, .other), (.note, .other), (.padding, .other): true
            default: false
            }
        guard continues else { return nil }
        return symbol == .bar
            ? bar(left: state.bars, owesNote: leavesNoteOwed(state)) : self.state(behind: symbol, from: state)
    }
}

// MARK: - The state space

extension GrammarRules {
    /// Every state that some sequence needs; a state comes behind the one whose ways it shares.
    ///
    /// - Throws: ``GrammarError/tooManyStates(limit:)``.
    func reachableStates(given: [GrammarSymbol], limit: Int) throws(GrammarError) -> [GrammarState] {
        var found: Set<GrammarState> = [start]
        var states = [start]
        var next = 0
        while next < states.count {
            guard states.count <= limit else { throw .tooManyStates(limit: limit) }
            let state = states[next]
            next += 1
            let followers =
                [way(from: state)?.target, otherwise(state)]
                + given.flatMap { [self.state(behind: $0, from: state), self.state(joining: $0, from: state)] }
            for case let follower? in followers where found.insert(follower).inserted { states.append(follower) }
        }
        var depths: [GrammarState: Int] = [:]
        func depth(_ state: GrammarState) -> Int {
            if let known = depths[state] { return known }
            let value = otherwise(state).map { depth($0) + 1 } ?? 0
            depths[state] = value
            return value
        }
        return states.enumerated().map { (depth: depth($1), order: $0, state: $1) }
            .sorted { ($0.depth, $0.order) < ($1.depth, $1.order) }
            .map(\.state)
    }
}
