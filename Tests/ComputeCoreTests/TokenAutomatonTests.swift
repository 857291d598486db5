import ComputeCore
import Testing

/// Sequences over a (0), b (1) and c (2): any a and b, no two b side by side, at the end one c.
///
/// Id 3 is never drawn, and
/// as a given token it is an a. Given tokens may say anything.
private func automaton() throws -> TokenAutomaton {
    try TokenAutomaton(
        classes: [1, 2, 3, 0], givenClasses: [4, 5, 6, 4], joiningClasses: [1, 2, 3, 1],
        arcs: [
            .init(on: 3, to: 1), .init(), .init(on: 1, to: 3, otherwise: 0), .init(on: 2, to: 2, otherwise: 2),
        ],
        givenMoves: [[nil, 3, 3, 3], [nil, 2, 2, 2], [nil, 1, 1, 1]],
        ends: [.never, .always, .behindGiven, .behindGiven], start: 3)
}

@Suite struct TokenAutomatonTests {
    private let mask: Int32 = 9

    @Test func movesFollowTheArcsOfAllSharedStates() throws {
        let automaton = try automaton()
        #expect(automaton.drawnClassCount == 4)
        #expect(automaton.classCount == 7)
        // State 3 takes b itself, a by state 2 and c by state 0.
        let fromThree: [Int32] = (0..<4).map { tokenClass in automaton.moves[tokenClass * 4 + 3] }
        let fromTwo: [Int32] = (0..<4).map { tokenClass in automaton.moves[tokenClass * 4 + 2] }
        #expect(fromThree == [-1, 3, 2, 1])
        #expect(fromTwo == [-1, 3, -1, 1])
    }

    @Test func theLongestChainOfSharedWaysIsKnown() throws {
        // State 3 shares with 2, and that with 0.
        #expect(try automaton().longestChain == 3)
        #expect(try automaton().drawing(only: [true, false, true, true]).longestChain == 3)
        #expect(try TokenAutomaton(classes: [1], arcs: [.init(on: 1)], ends: [.always], start: 0).longestChain == 1)
    }

    @Test func admitsTheLanguageOnly() throws {
        let automaton = try automaton()
        for sequence: [Int32] in [[0, 1, 0, 2], [2], [1, 2]] { #expect(automaton.admits(sequence)) }
        for sequence: [Int32] in [[1, 1, 2], [0, 1], [0, 3, 2], [2, 2], []] { #expect(!automaton.admits(sequence)) }
    }

    @Test func twoWaysForOneClassAreRefused() {
        #expect(throws: ValidationError.self) {
            try TokenAutomaton(
                classes: [1], arcs: [.init(on: 1), .init(on: 1, otherwise: 0)], ends: [.always, .always], start: 1)
        }
    }

    @Test func aStateSharesOnlyThoseBeforeIt() {
        #expect(throws: ValidationError.self) {
            try TokenAutomaton(classes: [1], arcs: [.init(on: 1, otherwise: 0)], ends: [.always], start: 0)
        }
    }

    @Test func statesThatShareComeLast() {
        #expect(throws: ValidationError.self) {
            try TokenAutomaton(
                classes: [1], arcs: [.init(on: 1), .init(otherwise: 0), .init()],
                ends: [.always, .always, .always], start: 0)
        }
    }

    @Test func givenTokensAreNeverRefusedBehindGivenOnes() throws {
        try automaton().check([1, 1, 1, 3, 2, 2, 1], mask: mask)
        try automaton().check([1, 1, mask, 1, 1], mask: mask)
    }

    @Test func whatIsGivenOnBothSidesBindsTheOpenTokensBetween() throws {
        // Behind a c nothing is drawn, and nothing but b lies between two b only if they may touch.
        let automaton = try automaton()
        try automaton.check([0, mask, 2], mask: mask)
        #expect(throws: InfeasibleSequence(open: 1..<2, possible: [])) {
            try automaton.check([2, mask, 0], mask: mask)
        }
        #expect(throws: InfeasibleSequence(open: 1..<3, possible: [])) {
            try automaton.drawing(only: [false, true, true, true]).check([1, mask, mask, 1], mask: mask)
        }
    }

    @Test func theNearestPossibleCountsAreNamed() throws {
        // Pairs of two classes: an even number of tokens.
        let pairs = try TokenAutomaton(
            classes: [1, 2], arcs: [.init(on: 1, to: 1), .init(on: 2, to: 0)], ends: [.always, .never], start: 0)
        let error = InfeasibleSequence(open: 2..<7, possible: [4, 6])
        #expect(throws: error) { try pairs.check([0, 1, mask, mask, mask, mask, mask], mask: mask) }
        #expect("\(error)" == "tokens 2 to 6: no well-formed piece fills these 5; 4 or 6 would do")
    }

    @Test func anEmptyClassLeadsNowhere() throws {
        let pairs = try TokenAutomaton(
            classes: [1, 2], arcs: [.init(on: 1, to: 1), .init(on: 2, to: 0)], ends: [.always, .never], start: 0)
        #expect(throws: InfeasibleSequence(open: 0..<2, possible: [0])) {
            try pairs.drawing(only: [true, false]).check([mask, mask], mask: mask)
        }
    }
}
