import ComputeCore
import OpenCLBackend
import ReferenceBackend
import Testing
import _ParityKit

/// A scan of a whole sequence equals the scans of its two parts, the second starting from the first one's final state.
struct SelectiveScanLaw {
    let batch = 2
    let length: Int
    let channels: Int
    let states: Int
    private let u, delta, inputMatrix, outputMatrix, gate, logDecay, skip: [Float]

    init(length: Int, channels: Int, states: Int) {
        (self.length, self.channels, self.states) = (length, channels, states)
        var values = SeededValues(seed: 5)
        let (wide, narrow) = (batch * length * channels, batch * length * states)
        u = values.normal(wide)
        delta = values.normal(wide).map { $0 - 3 }
        (inputMatrix, outputMatrix) = (values.normal(narrow), values.normal(narrow))
        gate = values.normal(wide)
        logDecay = values.uniform(channels * states, in: 0...2)
        skip = values.normal(channels)
    }

    /// The scan of some positions: its output [B, S, I] and final state [B, I, N].
    func scan(
        _ range: Range<Int>, from state: [Float]? = nil, on backend: any Backend
    ) throws -> (output: [Float], state: [Float]) {
        var instance = ParityInstance()
        func rows(_ values: [Float], _ columns: Int) -> [Float] {
            (0..<batch).flatMap {
                values[($0 * length + range.lowerBound) * columns..<($0 * length + range.upperBound) * columns]
            }
        }
        let (wide, narrow): (Shape, Shape) = ([batch, range.count, channels], [batch, range.count, states])
        let stateShape: Shape = [batch, channels, states]
        try instance.plan.append(
            SelectiveScan(
                input: instance.input("u", wide, rows(u, channels)),
                delta: instance.input("delta", wide, rows(delta, channels)),
                inputMatrix: instance.input("B", narrow, rows(inputMatrix, states)).matrix,
                outputMatrix: instance.input("C", narrow, rows(outputMatrix, states)).matrix,
                gate: instance.input("z", wide, rows(gate, channels)).matrix,
                logDecay: instance.input("A_log", [channels, states], logDecay),
                skip: instance.input("D", [channels], skip), output: instance.output("y", wide),
                initialState: state.map { try instance.input("initial", stateShape, $0) },
                finalState: instance.output("state", stateShape)))
        let outputs = try instance.run(on: backend).outputs
        return try (#require(outputs["y"]).floats(), #require(outputs["state"]).floats())
    }

    /// Cuts the sequence behind `cut` positions.
    func check(cut: Int, on backend: any Backend) throws {
        let whole = try scan(0..<length, on: backend)
        let first = try scan(0..<cut, on: backend)
        let second = try scan(cut..<length, from: first.state, on: backend)
        #expect(distance(joined(first.output, second.output, cut: cut), whole.output) < 1e-5)
        #expect(distance(second.state, whole.state) < 1e-5)
        let forgetful = try scan(cut..<length, on: backend)
        let broken = joined(first.output, forgetful.output, cut: cut)
        #expect(distance(broken, whole.output) > 1e-3, "the carried state must matter")
    }

    /// Two parts of the positions put together, sample by sample.
    private func joined(_ first: [Float], _ second: [Float], cut: Int) -> [Float] {
        let (a, b) = (cut * channels, (length - cut) * channels)
        var all: [Float] = []
        for sample in 0..<batch {
            all += first[sample * a..<(sample + 1) * a]
            all += second[sample * b..<(sample + 1) * b]
        }
        return all
    }

    /// The largest difference, relative to the largest value.
    private func distance(_ a: [Float], _ b: [Float]) -> Float {
        guard a.count == b.count, let largest = b.map({ abs($0) }).max(), largest > 0 else { return .infinity }
        return zip(a, b).map { abs($0 - $1) / largest }.max() ?? .infinity
    }

    /// Sequences shorter and longer than the 256 positions that a work-group scans at a time, cut in and between them.
    static let cuts = [(9, 1), (9, 4), (300, 150), (300, 256), (530, 513)]
}

@Suite struct SelectiveScanLawOnReference {
    @Test(arguments: SelectiveScanLaw.cuts)
    func twoPartsMakeTheWhole(_ length: Int, _ cut: Int) throws {
        try SelectiveScanLaw(length: length, channels: 5, states: 3).check(cut: cut, on: ReferenceBackend())
    }
}

extension OnDevice {
    @Suite struct SelectiveScanLawOnDevice {
        @Test(arguments: SelectiveScanLaw.cuts, KernelPath.allCases)
        func twoPartsMakeTheWhole(_ cut: (Int, Int), _ path: KernelPath) throws {
            try SelectiveScanLaw(length: cut.0, channels: 21, states: 16)
                .check(cut: cut.1, on: TestDevice.backend(path))
        }

        /// What other operations leave in the arena must not become the initial state of a scan without one.
        @Test(arguments: KernelPath.allCases)
        func aScanWithoutAnInitialStateStartsFromZero(_ path: KernelPath) throws {
            let backend = try TestDevice.backend(path)
            var plan = Plan()
            let (wide, stateShape): (Shape, Shape) = ([1, 4, 16], [1, 16, 8])
            var last = plan.input("stale", [4, 16, 8])
            for _ in 0..<8 {
                let next = plan.intermediate(last.shape)
                try plan.append(Activate(input: last, activation: .relu, output: next))
                last = next
            }
            plan.keep(last, as: "last")
            let zeros = plan.input("zeros", wide)
            let matrix = plan.input("matrix", [1, 4, 8]).matrix
            let (output, final) = (plan.intermediate(wide), plan.intermediate(stateShape))
            try plan.append(
                SelectiveScan(
                    input: zeros, delta: zeros, inputMatrix: matrix, outputMatrix: matrix, gate: zeros.matrix,
                    logDecay: plan.input("A_log", [16, 8]), skip: plan.input("D", [16]), output: output,
                    finalState: final))
            plan.keep(final, as: "final")
            let executable = try backend.compile(plan, parameters: backend.prepare([]))
            for (name, tensor) in plan.kept where plan.inputNames.contains(name) {
                let value: Float = name == "stale" ? 7 : 0
                try executable.write(
                    name, HostTensor(tensor.shape, [Float](repeating: value, count: tensor.shape.elementCount)))
            }
            for replay in 0..<2 {
                try executable.run()
                #expect(try executable.read("last").floats().allSatisfy { $0 == 7 })
                #expect(try executable.read("final").floats().allSatisfy { $0 == 0 }, "replay \(replay)")
            }
        }
    }
}

extension Plan {
    fileprivate var inputNames: Set<String> {
        Set(storages.compactMap { if case .input(let name) = $0.role { name } else { nil } })
    }
}
