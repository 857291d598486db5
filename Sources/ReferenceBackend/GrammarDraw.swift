import ComputeCore
import Foundation

extension GrammarDraw: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (batch, padded, ids) = (logits.shape[0], logits.shape[1], logits.shape[2])
        let (logits, tokens) = try (memory.floats(logits), memory.integers(tokens))
        let (given, classes) = try (memory.integers(automaton.given), memory.integers(automaton.classes))
        let language = try Language(self, memory)
        let parameters = try StepParameters(words: memory.integers(step))
        var candidates = [Int32](repeating: maskToken, count: batch * padded)
        var confidence = [Float](repeating: 0, count: batch * padded)
        var nearTies = try memory.integers(self.nearTies)
        for sample in 0..<batch {
            let rows = (0..<length).map { position -> Row in
                let index = sample * padded + position
                if given[index] > 0 { return .fixed(tokens[index], class: Int(given[index])) }
                if tokens[index] != maskToken {
                    return .fixed(tokens[index], class: Int(classes[Int(tokens[index])]))
                }
                return .open(
                    OpenRow(
                        logits[index * ids..<(index + 1) * ids], classes: classes, temperature: Double(temperature),
                        topP: Double(topP)))
            }
            let draws = language.draws(rows, isLastGiven: length > 0 && given[sample * padded + length - 1] > 0) {
                position in
                Double(Philox.unit(parameters.draw(.token, position: position, sample: sample)))
            }
            for (position, row) in rows.enumerated() {
                let index = sample * padded + position
                switch row {
                case .fixed(let token, _): (candidates[index], confidence[index]) = (token, 1)
                case .open(let row):
                    let draw = draws.flatMap { $0[position] }
                    // Without a distribution the class is drawn, for what follows, and no id.
                    let drawn = row.isUndefined ? nil : draw
                    if let drawn {
                        (candidates[index], confidence[index]) = (Int32(drawn.id), Float(drawn.probability))
                    }
                    nearTies[index] =
                        (nearTies[index] & 2) | (drawn?.isNearInClass == true ? 1 : 0)
                        | (draw?.isNearBetweenClasses == true || row.isNearCut ? 2 : 0)
                }
            }
        }
        memory.store(candidates, in: self.candidates)
        try memory.store(confidence, in: self.confidence)
        memory.store(nearTies, in: self.nearTies)
    }
}

/// A position before the draw.
private enum Row {
    case fixed(Int32, class: Int)
    case open(OpenRow)
}

/// The distribution of one masked position, in natural logarithms, its greatest weight being 0.
private struct OpenRow {
    let logWeights: [Double]
    let classes: [Int32]
    let temperature: Double
    var isUndefined = false
    var isNearCut = false

    init(_ logits: ArraySlice<Float>, classes: [Int32], temperature: Double, topP: Double) {
        self.classes = classes
        self.temperature = temperature
        let row = zip(logits, classes).map { $1 != 0 ? Double($0) : -.infinity }
        guard let largest = row.max(), largest.isFinite, !row.contains(where: \.isNaN) else {
            logWeights = classes.map { $0 != 0 ? 0 : -.infinity }
            isUndefined = true
            return
        }
        // At temperature 0 the most probable sequence is wanted, and no temperature changes which one that is.
        let scale = temperature > 0 ? 1 / temperature : 1
        let least = Double(GrammarDraw.leastLogWeight) * log(2)
        var weights = row.map { $0 == -.infinity ? $0 : max(($0 - largest) * scale, least) }
        if temperature > 0 && topP < 1 {
            let restricted = Categorical(logits: row, temperature: temperature, topP: topP)
            for (id, probability) in restricted.probabilities.enumerated() where probability == 0 {
                weights[id] += Double(GrammarDraw.topPPenalty) * log(2)
            }
            isNearCut = restricted.isNearCut
        }
        logWeights = weights
    }

    /// ln w(c): the sum of the weights of a class, at temperature 0 their maximum.
    func logMass(_ tokenClass: Int) -> Double {
        logSum(classes.indices.filter { Int(classes[$0]) == tokenClass }.map { logWeights[$0] }, temperature)
    }

    /// The first id of a class whose cumulative share of the class exceeds `u`.
    func draw(_ u: Double, in tokenClass: Int) -> Choice? {
        let members = classes.indices.filter { Int(classes[$0]) == tokenClass }
        return Choice(members.map { logWeights[$0] }, u, temperature).map { choice in
            var choice = choice
            choice.index = members[choice.index]
            return choice
        }
    }
}

/// One of several things with given logarithms of weights.
private struct Choice {
    var index = 0
    let probability: Double
    /// Where in the chosen thing's share u lies, in [0, 1).
    let rest: Double
    /// The distance of u from the nearest boundary between two of the things, as a part of the whole.
    let distance: Double

    init?(_ logWeights: [Double], _ u: Double, _ temperature: Double) {
        let sum = logSum(logWeights, temperature)
        guard sum > -.infinity else { return nil }
        if temperature == 0 {
            let sorted = logWeights.sorted(by: >)
            index = logWeights.firstIndex(of: sum) ?? 0
            distance = sorted.count > 1 ? 1 - exp(sorted[1] - sum) : .infinity
            (probability, rest) = (1 / logWeights.reduce(0) { $0 + exp($1 - sum) }, 0)
            return
        }
        var cumulative = 0.0
        var nearest = Double.infinity
        var chosen: (index: Int, before: Double, share: Double)?
        for (index, share) in logWeights.map({ exp($0 - sum) }).enumerated() where share > 0 {
            if cumulative <= u { chosen = (index, cumulative, share) }
            if cumulative > 0 { nearest = min(nearest, abs(cumulative - u)) }
            cumulative += share
        }
        guard let chosen else { return nil }
        index = chosen.index
        probability = chosen.share
        rest = min(max((u - chosen.before) / chosen.share, 0), 1)
        distance = nearest
    }
}

/// What a masked position becomes.
private struct Drawn {
    let id: Int
    let probability: Double
    let isNearInClass: Bool
    let isNearBetweenClasses: Bool
}

/// The automaton of a draw, its arcs followed to lists of ways.
private struct Language {
    let ways: [[(tokenClass: Int, target: Int)]]
    let moves: [[Int]]
    let ends: [Int32]
    let start: Int
    let classCount: Int
    let temperature: Double

    init(_ draw: GrammarDraw, _ memory: ReferenceMemory) throws {
        let arcs = try memory.integers(draw.automaton.arcs).map(Int.init)
        ends = try memory.integers(draw.automaton.ends)
        let flat = try memory.integers(draw.automaton.moves).map(Int.init)
        let states = ends.count
        moves = stride(from: 0, to: flat.count, by: states).map { Array(flat[$0..<$0 + states]) }
        start = Int(draw.automaton.start)
        classCount = draw.automaton.drawnClassCount
        temperature = Double(draw.temperature)
        ways = (0..<states).map { state in
            var ways: [(Int, Int)] = []
            var next = state
            while next >= 0 {
                if arcs[next] > 0 { ways.append((arcs[next], arcs[states + next])) }
                next = arcs[2 * states + next]
            }
            return ways
        }
    }

    /// A well-formed sequence; nil where none has a probability.
    func draws(_ rows: [Row], isLastGiven: Bool, unit: (_ position: Int) -> Double) -> [Drawn?]? {
        let messages = messages(rows, isLastGiven: isLastGiven)
        guard messages[0][start] > -.infinity else { return nil }
        var state = start
        return rows.enumerated().map { position, row in
            switch row {
            case .fixed(_, let tokenClass):
                state = moves[tokenClass][state]
                return nil
            case .open(let row):
                let values = ways[state].map { row.logMass($0.tokenClass) + messages[position + 1][$0.target] }
                guard let way = Choice(values, unit(position), temperature) else { return nil }
                let (tokenClass, target) = ways[state][way.index]
                state = target
                return row.draw(way.rest, in: tokenClass).map { id in
                    Drawn(
                        id: id.index, probability: way.probability * id.probability,
                        // Of a draw the distance is a part of the way's share; at temperature 0 it is of the ids alone.
                        isNearInClass: id.distance * (temperature > 0 ? way.probability : 1)
                            < Double(TokenDraw.nearTie),
                        isNearBetweenClasses: way.distance < Double(TokenDraw.nearTie))
                }
            }
        }
    }

    /// ln β_i(s) for every position, and the end, and every state.
    private func messages(_ rows: [Row], isLastGiven: Bool) -> [[Double]] {
        let needed = isLastGiven ? TokenAutomaton.End.behindGiven : .always
        var messages = [ends.map { $0 >= needed.rawValue ? 0 : -Double.infinity }]
        for row in rows.reversed() {
            let next = messages[messages.count - 1]
            switch row {
            case .fixed(_, let tokenClass):
                messages.append(moves[tokenClass].map { $0 < 0 ? -.infinity : next[$0] })
            case .open(let row):
                let masses = (0..<classCount).map { row.logMass($0) }
                messages.append(
                    ways.map { ways in logSum(ways.map { masses[$0.tokenClass] + next[$0.target] }, temperature) })
            }
        }
        return messages.reversed()
    }
}

/// ln Σ exp, at temperature 0 the maximum; −∞ for nothing.
private func logSum(_ values: [Double], _ temperature: Double) -> Double {
    guard let largest = values.max(), largest > -.infinity else { return -.infinity }
    return temperature == 0 ? largest : largest + log(values.reduce(0) { $0 + exp($1 - largest) })
}
