import ComputeCore
import Diffusion
import Foundation
import ReferenceBackend
import Testing

@Suite struct BinomialProcessTests {
    private static let process = Result { try BinomialProcess(priorDensities: [0.032, 0.5, 0.9]) }

    /// Σ_{x_t} q(x_t | x_0) q(x_s | x_t, x_0) = q(x_s | x_0), for every plane, x_0 and pair of times.
    @Test(arguments: BinomialProcess.Schedule.allCases) func posteriorLeadsFromMarginalToMarginal(
        _ schedule: BinomialProcess.Schedule
    ) throws {
        let process = try BinomialProcess(priorDensities: [0.032, 0.5, 0.9], schedule: schedule)
        for (earlier, time) in [(0, 0.01), (0, 1), (0.3, 0.31), (0.5, 1), (0.99, 1)] as [(Double, Double)] {
            let (late, early) = (process.marginal(at: time), process.marginal(at: earlier))
            let posterior = process.posterior(from: time, to: earlier)
            for plane in 0..<3 {
                for clean in 0...1 {
                    let isOn = late.probabilities[plane][3 * clean]
                    let law = posterior.probabilities[plane]
                    let sum = isOn * law[2 + clean] + (1 - isOn) * law[clean]
                    #expect(abs(sum - early.probabilities[plane][3 * clean]) < 1e-12, "\(time) to \(earlier)")
                }
            }
        }
    }

    /// r = ½ gives the posterior of Sohl-Dickstein et al. as papers write it, with α the share that is drawn anew.
    @Test func evenPriorHasThePublishedPosterior() throws {
        let process = try BinomialProcess(priorDensities: [0.5])
        let (earlier, time) = (0.4, 0.7)
        let rate = 1 - process.survival(time) / process.survival(earlier)
        let both = (2 - earlier) / (2 - time) * (1 - rate / 2)
        let cleanOnly = (2 - earlier) * rate / (2 * time)
        let law = process.posterior(from: time, to: earlier).probabilities[0]
        #expect(abs(law[3] - both) < 1e-12 && abs(law[1] - cleanOnly) < 1e-12)
        #expect(abs(law[0] - (1 - both)) < 1e-12 && abs(law[2] - (1 - cleanOnly)) < 1e-12)
    }

    @Test func endsAreTheDataAndThePrior() throws {
        let process = try Self.process.get()
        #expect(process.marginal(at: 0).probabilities[0] == [0, 1, 0, 1])
        #expect(process.marginal(at: 1).probabilities.map { $0[0] } == [0.032, 0.5, 0.9])
        #expect(process.posterior(from: 0.2, to: 0).probabilities[1] == [0, 1, 0, 1])
        #expect(process.sharedNoise(at: 1).probabilities[1] == [0, 0, 1, 1])
        #expect(process.timeIndex(0, count: 100) == 0 && process.timeIndex(1, count: 100) == 100)
    }

    @Test(arguments: [0, 1, -0.1, .nan]) func densitiesThatAreNoneAreNamed(_ density: Double) {
        #expect(throws: SamplingError.self) { try BinomialProcess(priorDensities: [0.5, density]) }
    }
}

/// A chain over two cells whose network is the table logits = W·x + b: every law follows by enumeration.
private struct TwoCellChain {
    let sampler: BinomialProcess.Sampler
    let process: BinomialProcess
    static let matrix: [Float] = [1.5, -2, 0.5, 1]
    static let bias: [Float] = [-0.5, 0.75]
    static let stepCount = 3

    /// The share of each pair of cells, at index cell 0 + 2 · cell 1.
    func shares(count: Int, start: Double, given: [Float], known: [Float]) throws -> [Double] {
        var options = BinomialChain.Options(timeCount: 10, seed: 77)
        options.stepCount = Self.stepCount
        options.start = start
        options.sampler = sampler
        let backend = ReferenceBackend()
        let parameters = try backend.prepare([
            ParameterSource(ParameterKey("W"), .matrix, [2, 2], Self.matrix),
            ParameterSource(ParameterKey("b"), .plain, [2], Self.bias),
        ])
        let chain = try BinomialChain(
            BinomialChain.Batch(count: count, steps: 1, width: 2, fold: 1), process: process, options: options,
            on: backend, parameters: parameters
        ) { cells, _, _, plan in
            let logits = plan.intermediate(cells.shape)
            try plan.append(
                Linear(
                    input: cells.matrix, weight: plan.parameter(ParameterKey("W"), [2, 2], .matrix),
                    bias: plan.parameter(ParameterKey("b"), [2], .plain), output: logits.matrix))
            return logits
        }
        let rows = [[Float]](repeating: given, count: count)
        let cells = try chain.run(from: rows, known: [[Float]](repeating: known, count: count)).cells
        return (0..<4).map { state in
            Double(cells.count { $0 == [Float(state % 2), Float(state / 2)] }) / Double(count)
        }
    }

    /// The same by summing over every state of the noise, the cells and the estimate.
    func law(start: Double, given: [Int], known: [Bool]) -> [Double] {
        func bit(_ state: Int, _ cell: Int) -> Int { state >> cell & 1 }
        /// The probability of a state whose cells are on with the given probabilities; known cells stay as in `current`.
        func weight(_ state: Int, _ current: Int, on: (Int) -> Double) -> Double {
            (0..<2).reduce(1.0) { product, cell in
                let p = known[cell] ? Double(bit(current, cell)) : on(cell)
                return product * (bit(state, cell) == 1 ? p : 1 - p)
            }
        }
        func lookUp(_ law: CellLaw, _ cell: Int, _ current: Int, _ estimate: Int) -> Double {
            law.probabilities[cell][2 * bit(current, cell) + bit(estimate, cell)]
        }
        let clean = given[0] + 2 * given[1]
        // joint[noise][cells]
        var joint = [[Double]](repeating: [0, 0, 0, 0], count: 4)
        for noise in 0..<4 {
            let prior = weight(noise, clean) { lookUp(process.marginal(at: 1), $0, clean, clean) }
            for cells in 0..<4 {
                joint[noise][cells] +=
                    prior * weight(cells, noise) { lookUp(process.sharedNoise(at: start), $0, noise, clean) }
            }
        }
        for step in 0..<Self.stepCount {
            let time = start * (1 - Double(step) / Double(Self.stepCount))
            let earlier = start * (1 - Double(step + 1) / Double(Self.stepCount))
            let law =
                sampler == .posterior ? process.posterior(from: time, to: earlier) : process.sharedNoise(at: earlier)
            var next = [[Double]](repeating: [0, 0, 0, 0], count: 4)
            for noise in 0..<4 {
                for cells in 0..<4 where joint[noise][cells] > 0 {
                    for estimate in 0..<4 {
                        var probability = joint[noise][cells]
                        for cell in 0..<2 {
                            let logit = (0..<2).reduce(Double(Self.bias[cell])) {
                                $0 + Double(Self.matrix[2 * cell + $1]) * Double(bit(cells, $1))
                            }
                            let p = 1 / (1 + exp(-logit))
                            probability *= bit(estimate, cell) == 1 ? p : 1 - p
                        }
                        let current = sampler == .posterior ? cells : noise
                        for after in 0..<4 {
                            next[noise][after] +=
                                probability * weight(after, current) { lookUp(law, $0, current, estimate) }
                        }
                    }
                }
            }
            joint = next
        }
        return (0..<4).map { cells in joint.reduce(0) { $0 + $1[cells] } }
    }
}

@Suite struct BinomialChainTests {
    private static let process = Result { try BinomialProcess(priorDensities: [0.2, 0.6]) }

    /// 16.3 is the 0.999 quantile of χ² with three degrees of freedom.
    @Test(arguments: BinomialProcess.Sampler.allCases, [1, 0.6])
    func chainFollowsItsLaw(_ sampler: BinomialProcess.Sampler, _ start: Double) throws {
        let chain = TwoCellChain(sampler: sampler, process: try Self.process.get())
        let law = chain.law(start: start, given: [1, 0], known: [false, false])
        let count = 20_000
        let shares = try chain.shares(count: count, start: start, given: [1, 0], known: [0, 0])
        let chiSquare = zip(shares, law).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) / $1.1 } * Double(count)
        #expect(abs(law.reduce(0, +) - 1) < 1e-12)
        #expect(chiSquare < 16.3, "\(shares) against \(law)")
    }

    /// The free cell follows the law under the known one; 10.8 is the 0.999 quantile with one degree of freedom.
    @Test(arguments: BinomialProcess.Sampler.allCases) func knownCellsStayAndAreSeen(
        _ sampler: BinomialProcess.Sampler
    ) throws {
        let chain = TwoCellChain(sampler: sampler, process: try Self.process.get())
        let law = chain.law(start: 1, given: [1, 0], known: [true, false])
        let shares = try chain.shares(count: 5000, start: 1, given: [1, 0], known: [1, 0])
        #expect(shares[0] == 0 && shares[2] == 0 && law[0] == 0 && law[2] == 0)
        let chiSquare = [1, 3].reduce(0) { $0 + pow(shares[$1] - law[$1], 2) / law[$1] } * 5000
        #expect(chiSquare < 10.8, "\(shares) against \(law)")
    }

    @Test func optionsThatCannotBeAreNamed() throws {
        let process = try Self.process.get()
        for change in [
            { $0.stepCount = 0 }, { $0.start = 0 }, { $0.start = 1.5 }, { $0.temperature = -1 }, { $0.timeCount = 0 },
        ] as [(inout BinomialChain.Options) -> Void] {
            var options = BinomialChain.Options(timeCount: 10, seed: 1)
            change(&options)
            #expect(throws: SamplingError.self) {
                try BinomialChain(
                    BinomialChain.Batch(count: 1, steps: 1, width: 2, fold: 1), process: process, options: options,
                    on: ReferenceBackend(), parameters: ReferenceBackend().prepare([])
                ) { cells, _, _, _ in cells }
            }
        }
    }

    /// At temperature 0 a probability of one half lies on its threshold; what is drawn for a given cell decides nothing.
    @Test(arguments: [([0, 0], 2), ([0, 1], 1), ([1, 1], 0)] as [([Float], Int)])
    func nearTiesOfGivenCellsAreNotCounted(_ known: [Float], _ count: Int) throws {
        let backend = ReferenceBackend()
        let parameters = try backend.prepare([ParameterSource(ParameterKey("logits"), .plain, [1, 1, 2], [0, 0])])
        var options = BinomialChain.Options(timeCount: 10, seed: 1)
        options.temperature = 0
        let chain = try BinomialChain(
            BinomialChain.Batch(count: 1, steps: 1, width: 2, fold: 1), process: Self.process.get(), options: options,
            on: backend, parameters: parameters
        ) { _, _, _, plan in plan.parameter(ParameterKey("logits"), [1, 1, 2], .plain) }
        #expect(try chain.run(from: [[0, 0]], known: [known]).nearTies == [count])
    }

    /// NaN weights are damage that a caller must hear of.
    @Test func undefinedCellsAreReported() throws {
        let backend = ReferenceBackend()
        let parameters = try backend.prepare([
            ParameterSource(ParameterKey("logits"), .plain, [1, 1, 2], [0, .nan])
        ])
        let chain = try BinomialChain(
            BinomialChain.Batch(count: 1, steps: 1, width: 2, fold: 1), process: Self.process.get(),
            options: BinomialChain.Options(timeCount: 10, seed: 1), on: backend, parameters: parameters
        ) { _, _, _, plan in plan.parameter(ParameterKey("logits"), [1, 1, 2], .plain) }
        #expect(throws: SamplingError.undefinedDistribution(sample: 0, position: 1)) {
            try chain.run(from: [[0, 0]], known: [[0, 0]])
        }
    }
}
