import ComputeCore
import Foundation
import Music
import OpenCLBackend
import Testing
import _ParityKit

/// A gap of six tokens in the middle of a bar, in a vocabulary of nine musical tokens.
private struct SmallGap {
    let automaton: TokenAutomaton
    let tokens: [Int32]
    let logits: [Float]
    let ids: Int
    var mask: Int32 { Int32(ids) }

    init(removesDuplicates: Bool) throws {
        let tokenizer = REMITokenizer(
            try TokenizerConfiguration(
                pitches: 60...61, beatResolutions: [.init(beats: 0..<1, stepsPerBeat: 1)], velocityCount: 1,
                removesDuplicatedNotes: removesDuplicates))
        let options = GrammarOptions(largestChord: 2, allowsEmptyBars: true)
        automaton = try REMIGrammar(tokenizer, options: options).automaton
        let rest = [Token.velocity(127), .duration(beats: 1, steps: 0, resolution: 1)]
        func encoded(_ tokens: [Token]) throws -> [Int32] {
            try tokens.map { Int32(try #require(tokenizer.vocabulary.id(of: $0))) }
        }
        ids = tokenizer.vocabulary.count
        tokens =
            try encoded([.bar, .position(0), .pitch(60)] + rest) + [Int32](repeating: Int32(ids), count: 6)
            + encoded([.position(3), .pitch(61)] + rest)
        var values = SeededValues(seed: 4)
        logits = values.normal(tokens.count * ids, spread: 0.7, outlier: 2)
    }

    /// The fillings of the gap that keep to the grammar, and the probability of each.
    func enumerated() -> [[Int32]: Double] {
        let drawn = (0..<Int32(ids)).filter { automaton.classes[Int($0)] != 0 }
        var fillings: [[Int32]] = [[]]
        for _ in 0..<6 { fillings = fillings.flatMap { prefix in drawn.map { prefix + [$0] } } }
        var weights: [[Int32]: Double] = [:]
        for filling in fillings where automaton.admits(tokens[..<5] + filling + tokens[11...]) {
            weights[filling] = filling.enumerated().reduce(1) { product, entry in
                product * exp(Double(logits[(5 + entry.offset) * ids + Int(entry.element)]))
            }
        }
        let sum = weights.values.reduce(0, +)
        return weights.mapValues { $0 / sum }
    }

    /// Draws fillings, in runs of `batch` samples.
    func draw(batch: Int, runs: Int, on backend: OpenCLBackend) throws -> [[Int32]: Int] {
        var plan = Plan()
        let shape: Shape = [batch, tokens.count]
        let candidates = plan.intermediate(shape, .int32)
        try plan.append(
            GrammarDraw(
                logits: plan.input("logits", [batch, tokens.count, ids]), tokens: plan.input("tokens", shape, .int32),
                automaton: plan.automaton(automaton, positions: shape),
                step: plan.input("step", StepParameters.shape, .int32), temperature: 1, topP: 1, length: tokens.count,
                maskToken: mask, candidates: candidates, confidence: plan.intermediate(shape),
                nearTies: plan.input("nearTies", shape, .int32)))
        plan.keep(candidates, as: "candidates")
        let executable = try backend.compile(plan, parameters: backend.prepare([]))
        for (name, table) in try automaton.tables { try executable.write(name, table) }
        func repeated<Element>(_ row: [Element]) -> [Element] { (0..<batch).flatMap { _ in row } }
        try executable.write("logits", HostTensor([batch, tokens.count, ids], repeated(logits)))
        try executable.write("tokens", HostTensor(shape, repeated(tokens)))
        try executable.write("given", HostTensor(shape, repeated(automaton.givenClasses(of: tokens, mask: mask))))
        try executable.write("nearTies", HostTensor(shape, [Int32](repeating: 0, count: shape.elementCount)))
        var counts: [[Int32]: Int] = [:]
        for run in 0..<runs {
            let parameters = StepParameters(step: Int32(run), seed: 8)
            try executable.write("step", HostTensor(StepParameters.shape, parameters.words))
            try executable.run()
            let drawn = try executable.read("candidates").integers()
            for start in stride(from: 0, to: drawn.count, by: tokens.count) {
                counts[Array(drawn[start + 5..<start + 11]), default: 0] += 1
            }
        }
        return counts
    }
}

extension OnDevice {
    @Suite struct GrammarLaw {
        /// A hundred thousand draws, in a soak a million; the bound is the 0.9999 quantile of χ², by Wilson and Hilferty.
        @Test(arguments: [false, true], KernelPath.allCases)
        func drawsFollowTheEnumeratedLaw(_ removesDuplicates: Bool, _ path: KernelPath) throws {
            let gap = try SmallGap(removesDuplicates: removesDuplicates)
            let expected = gap.enumerated()
            let (batch, runs) = (4096, Soak.isOn ? 245 : 25)
            let observed = try gap.draw(batch: batch, runs: runs, on: TestDevice.backend(path))
            #expect(expected.count > 10)
            #expect(Set(observed.keys).isSubset(of: expected.keys))
            let chiSquare = expected.reduce(0) { sum, entry in
                let wanted = entry.value * Double(batch * runs)
                let difference = Double(observed[entry.key] ?? 0) - wanted
                return sum + difference * difference / wanted
            }
            let freedom = Double(expected.count - 1)
            let quantile = freedom * pow(1 - 2 / (9 * freedom) + 3.72 * (2 / (9 * freedom)).squareRoot(), 3)
            #expect(chiSquare < quantile, "χ² \(chiSquare) of \(quantile), \(expected.count) sequences")
        }
    }
}
