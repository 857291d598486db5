import ComputeCore
import SMDIM
import Testing

/// An operation that touches given tensors and computes nothing.
private struct Touch: Operation {
    static let name = "touch"
    var operands: [Operand] = []
    var work: Work { Work(flops: 0, bytes: 0) }
    func validate() {}
}

/// A plan of random operations over random tensors, with scratch memory, named by a seed.
private struct RandomPlan {
    private(set) var plan = Plan()
    private(set) var scratch: [[Int]] = []
    private let seed: UInt64
    private var drawn: UInt32 = 0

    init(seed: UInt64) throws {
        self.seed = seed
        var tensors = (0..<2).map { plan.input("input \($0)", [integer(in: 1..<300)]) }
        _ = plan.parameter(ParameterKey("weight"), [100], .plain)
        for index in 0..<40 {
            let output = plan.intermediate([integer(in: 0..<500)])
            let read = (0..<integer(in: 1..<4)).map { _ in tensors[integer(in: 0..<tensors.count)] }
            try plan.append(
                Touch(operands: read.map { Operand("read", $0, .read) } + [Operand("written", output, .write)]))
            scratch.append((0..<integer(in: 0..<3)).map { _ in integer(in: 0..<2000) })
            if integer(in: 0..<8) == 0 { plan.keep(output, as: "kept \(index)") }
            tensors.append(output)
        }
    }

    private mutating func integer(in range: Range<Int>) -> Int {
        drawn += 1
        return range.lowerBound + Int(Philox.draw(seed: seed, purpose: .initialise, position: drawn)) % range.count
    }
}

/// What lies where and when, worked out anew from the definition of liveness.
private struct Occupancy {
    let tenants: [(name: String, life: ClosedRange<Int>, region: MemoryPlan.Region)]

    init(_ plan: Plan, _ memory: MemoryPlan) {
        let end = plan.operations.count
        var tenants: [(String, ClosedRange<Int>, MemoryPlan.Region)] = []
        for (storage, region) in memory.storages.enumerated() {
            guard let region else { continue }
            var uses = plan.operations.indices.filter { index in
                plan.operations[index].operands.contains { $0.tensor.storage == storage }
            }
            if plan.kept.values.contains(where: { $0.storage == storage }) { uses.append(end) }
            if case .input = plan.storages[storage].role { uses = [0, end] }
            guard let first = uses.min(), let last = uses.max() else { continue }
            tenants.append(("tensor \(storage)", first...last, region))
        }
        for (operation, regions) in memory.scratch.enumerated() {
            tenants += regions.map { ("scratch of \(operation)", operation...operation, $0) }
        }
        self.tenants = tenants
    }

    /// Two tenants that need the same byte at the same time.
    var conflict: String? {
        for (index, a) in tenants.enumerated() {
            for b in tenants[..<index] where a.life.overlaps(b.life) && a.region.block == b.region.block {
                let (x, y) = (
                    a.region.offset..<a.region.offset + a.region.byteCount,
                    b.region.offset..<b.region.offset + b.region.byteCount
                )
                if x.overlaps(y) { return "\(a.name) at \(x) and \(b.name) at \(y), block \(a.region.block)" }
            }
        }
        return nil
    }
}

@Suite struct MemoryPlanTests {
    @Test(arguments: 0..<20)
    func noTwoLiveTensorsOverlap(_ seed: Int) throws {
        let random = try RandomPlan(seed: UInt64(seed))
        let constraints = MemoryPlan.Constraints(alignment: 64, maximumBlockBytes: 4096, margin: 32)
        let memory = MemoryPlan(random.plan, scratchBytes: random.scratch, constraints: constraints)
        #expect(Occupancy(random.plan, memory).conflict == nil, "seed \(seed)")
        let needed = random.plan.storages.enumerated().filter { memory.storages[$0.offset] != nil }
        #expect(needed.allSatisfy { memory.storages[$0.offset]?.byteCount == $0.element.byteCount })
        #expect(memory.scratch.map { $0.map(\.byteCount) } == random.scratch)
        for region in memory.storages.compactMap(\.self) + memory.scratch.joined() {
            #expect(region.offset % 64 == 0)
            #expect(
                region.offset + region.byteCount + 32 <= memory.blocks[region.block], "the margin lies in the block")
        }
        #expect(memory.blocks.allSatisfy { $0 <= 4096 })
        #expect(memory.blocks.count > 1, "one block says nothing about the limit")
        let separate = needed.reduce(0) { $0 + $1.element.byteCount } + random.scratch.joined().reduce(0, +)
        #expect(memory.byteCount < separate / 2, "memory is shared")
    }

    /// A step of the model, and one of its training, with scratch memory for every operation.
    @Test(arguments: [false, true])
    func noTwoLiveTensorsOfTheModelOverlap(_ trains: Bool) throws {
        let configuration = ModelConfiguration(.tiny)
        let plan =
            try trains
            ? TokenDenoiser(configuration, purpose: .training).gradientPlan(batch: 2, length: 64)
            : TokenDenoiser(configuration).plan(batch: 2, length: 64)
        let memory = MemoryPlan(
            plan, scratchBytes: plan.operations.indices.map { [1000 * ($0 % 7), 128] },
            constraints: MemoryPlan.Constraints(alignment: 128, maximumBlockBytes: 1 << 20))
        #expect(Occupancy(plan, memory).conflict == nil)
        #expect(plan.operations.count > 30 && memory.blocks.allSatisfy { $0 <= 1 << 20 })
    }

    /// a → b → c → d, of which d stays.
    private func chain() throws -> (plan: Plan, tensors: [Tensor]) {
        var plan = Plan()
        let tensors = (0..<4).map { _ in plan.intermediate([64]) }
        for (a, b) in zip(tensors, tensors.dropFirst()) {
            try plan.append(Touch(operands: [Operand("a", a, .read), Operand("b", b, .write)]))
        }
        plan.keep(tensors[3], as: "last")
        return (plan, tensors)
    }

    @Test func aChainTakesTwoPlaces() throws {
        let (plan, _) = try chain()
        let memory = MemoryPlan(
            plan, scratchBytes: [], constraints: MemoryPlan.Constraints(alignment: 4, maximumBlockBytes: .max))
        #expect(memory.byteCount == 2 * 64 * 4)
    }

    /// An operation that computes the next one along writes that one's output while it reads its own input.
    @Test func whatIsWrittenEarlierLivesEarlier() throws {
        let (plan, tensors) = try chain()
        let memory = MemoryPlan(
            plan, writers: [tensors[2].storage: 0], scratchBytes: [],
            constraints: MemoryPlan.Constraints(alignment: 4, maximumBlockBytes: .max))
        #expect(memory.byteCount == 3 * 64 * 4)
        #expect(Set(memory.storages.prefix(3).map { $0?.offset }).count == 3)
    }

    /// An input that is read at the very end was written at the very beginning.
    @Test func inputsAndKeptTensorsSurvive() throws {
        var plan = Plan()
        let (input, late, early) = (plan.input("x", [16]), plan.input("late", [16]), plan.intermediate([16]))
        try plan.append(Touch(operands: [Operand("x", input, .read), Operand("early", early, .write)]))
        plan.keep(early, as: "early")
        for _ in 0..<4 { try plan.append(Touch(operands: [Operand("later", plan.intermediate([16]), .write)])) }
        try plan.append(Touch(operands: [Operand("late", late, .read)]))
        let memory = MemoryPlan(
            plan, scratchBytes: [], constraints: MemoryPlan.Constraints(alignment: 4, maximumBlockBytes: .max))
        let offsets = memory.storages.compactMap { $0?.offset }
        #expect(Set(offsets.prefix(3)).count == 3 && Set(offsets.prefix(3)).isDisjoint(with: offsets.dropFirst(3)))
        #expect(Set(offsets.dropFirst(3)).count == 1, "the later ones share a place")
    }

    @Test func aTensorAboveTheLimitHasABlockOfItsOwn() throws {
        var plan = Plan()
        let (small, large) = (plan.intermediate([8]), plan.intermediate([4096]))
        try plan.append(Touch(operands: [Operand("small", small, .read), Operand("large", large, .write)]))
        let memory = MemoryPlan(
            plan, scratchBytes: [], constraints: MemoryPlan.Constraints(alignment: 16, maximumBlockBytes: 1024))
        #expect(memory.blocks == [4096 * 4, 8 * 4])
    }

    @Test func parametersLiveElsewhere() throws {
        var plan = Plan()
        let weight = plan.parameter(ParameterKey("weight"), [1000], .plain)
        try plan.append(Touch(operands: [Operand("weight", weight, .read)]))
        let memory = MemoryPlan(
            plan, scratchBytes: [[]], constraints: MemoryPlan.Constraints(alignment: 4, maximumBlockBytes: .max))
        #expect(memory.storages == [nil] && memory.byteCount == 0)
    }
}
