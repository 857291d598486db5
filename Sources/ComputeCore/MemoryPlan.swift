/// Where every tensor of a plan and every operation's scratch memory lies, known before anything is allocated.
///
/// Two tensors share memory if no operation needs both. Placement is greedy by size: the largest first, each at the
/// lowest offset that is free during its life. Blocks exist because a device limits the size of one allocation.
public struct MemoryPlan: Sendable, Equatable {
    /// A region of one block.
    public struct Region: Hashable, Sendable {
        /// Index of the block.
        public let block: Int
        /// Bytes from the block's start.
        public let offset: Int
        /// Length in bytes.
        public let byteCount: Int
    }

    /// What a backend wants of the placement.
    public struct Constraints: Sendable {
        /// Every region starts at a multiple of this many bytes.
        public var alignment: Int
        /// No block is larger, unless a single tensor is.
        public var maximumBlockBytes: Int
        /// Unused bytes behind every region, where a test looks for stray writes.
        public var margin: Int

        /// Constraints.
        public init(alignment: Int, maximumBlockBytes: Int, margin: Int = 0) {
            self.alignment = alignment
            self.maximumBlockBytes = maximumBlockBytes
            self.margin = margin
        }
    }

    /// The region of each storage; nil for parameters, which live elsewhere.
    public let storages: [Region?]
    /// The scratch regions of each operation.
    public let scratch: [[Region]]
    /// The length of each block in bytes.
    public let blocks: [Int]

    /// Bytes of tables that the plan shares with others like it; each of them counts them.
    public let sharedBytes: Int

    /// Bytes that the plan takes, parameters apart.
    public var byteCount: Int { blocks.reduce(sharedBytes, +) }

    /// Places the tensors of `plan`, and for operation i as many scratch regions as `scratchBytes[i]` lists.
    ///
    /// - Parameters:
    ///   - halved: Numbers of the storages whose elements the backend keeps in half of their declared bytes.
    ///   - writers: Operations that write a storage before the first that touches it by its operands, by the storage's number.
    ///   - sharedBytes: Bytes of tables that lie elsewhere.
    public init(
        _ plan: Plan, halved: Set<Int> = [], writers: [Int: Int] = [:], scratchBytes: [[Int]], sharedBytes: Int = 0,
        constraints: Constraints
    ) {
        var items = Self.lifetimes(of: plan, writers: writers).enumerated().compactMap { index, life in
            life.map { life in
                let byteCount = plan.storages[index].byteCount / (halved.contains(index) ? 2 : 1)
                return Item(slot: .storage(index), life: life, byteCount: byteCount)
            }
        }
        for (operation, sizes) in scratchBytes.enumerated() {
            for (index, size) in sizes.enumerated() {
                items.append(Item(slot: .scratch(operation, index), life: operation...operation, byteCount: size))
            }
        }
        var storages = [Region?](repeating: nil, count: plan.storages.count)
        var scratch = scratchBytes.map { $0.map { Region(block: 0, offset: 0, byteCount: $0) } }
        var placer = Placer(constraints: constraints)
        for item in items.sorted(by: { ($0.byteCount, $1.slot) > ($1.byteCount, $0.slot) }) {
            let region = placer.place(item)
            switch item.slot {
            case .storage(let index): storages[index] = region
            case .scratch(let operation, let index): scratch[operation][index] = region
            }
        }
        self.sharedBytes = sharedBytes
        self.storages = storages
        self.scratch = scratch
        self.blocks = placer.blocks.map(\.byteCount)
    }

    /// The operations from the first to the last that touches each storage; inputs and kept tensors live longer.
    private static func lifetimes(of plan: Plan, writers: [Int: Int]) -> [ClosedRange<Int>?] {
        var lives = [ClosedRange<Int>?](repeating: nil, count: plan.storages.count)
        func extend(_ storage: Int, to range: ClosedRange<Int>) {
            let life = lives[storage] ?? range
            lives[storage] = min(life.lowerBound, range.lowerBound)...max(life.upperBound, range.upperBound)
        }
        for (index, operation) in plan.operations.enumerated() {
            for operand in operation.operands { extend(operand.tensor.storage, to: index...index) }
        }
        for (storage, operation) in writers { extend(storage, to: operation...operation) }
        for tensor in plan.kept.values { extend(tensor.storage, to: plan.operations.count...plan.operations.count) }
        for (index, storage) in plan.storages.enumerated() {
            switch storage.role {
            case .input: lives[index] = 0...plan.operations.count
            case .parameter: lives[index] = nil
            case .intermediate: break
            }
        }
        return lives
    }
}

extension Plan.Storage {
    /// Bytes of the tensor in its declared, row-major form.
    public var byteCount: Int { shape.elementCount * elementType.byteCount }
}

private struct Item {
    enum Slot: Comparable {
        case storage(Int)
        case scratch(Int, Int)
    }

    let slot: Slot
    let life: ClosedRange<Int>
    let byteCount: Int
}

private struct Placer {
    struct Block {
        var byteCount = 0
        var tenants: [(life: ClosedRange<Int>, bytes: Range<Int>)] = []
    }

    let constraints: MemoryPlan.Constraints
    var blocks: [Block] = []

    mutating func place(_ item: Item) -> MemoryPlan.Region {
        let length = (max(item.byteCount, 1) + constraints.margin).roundedUp(to: constraints.alignment)
        let (block, offset) = firstFit(for: item.life, length: length)
        if block == blocks.count { blocks.append(Block()) }
        blocks[block].byteCount = max(blocks[block].byteCount, offset + length)
        blocks[block].tenants.append((item.life, offset..<offset + length))
        return MemoryPlan.Region(block: block, offset: offset, byteCount: item.byteCount)
    }

    /// The first block with room and the lowest offset there; a block that does not exist yet if there is none.
    private func firstFit(for life: ClosedRange<Int>, length: Int) -> (block: Int, offset: Int) {
        for (index, block) in blocks.enumerated() {
            let offset = block.lowestOffset(for: life, length: length)
            if offset + length <= constraints.maximumBlockBytes { return (index, offset) }
        }
        return (blocks.count, 0)
    }
}

extension Placer.Block {
    /// The lowest offset at which `length` bytes are free for all of `life`.
    func lowestOffset(for life: ClosedRange<Int>, length: Int) -> Int {
        var offset = 0
        let rivals = tenants.filter { $0.life.overlaps(life) }.map(\.bytes).sorted { $0.lowerBound < $1.lowerBound }
        for rival in rivals {
            if offset + length <= rival.lowerBound { break }
            offset = max(offset, rival.upperBound)
        }
        return offset
    }
}

extension Int {
    /// The least multiple of `step` that is not below the value.
    package func roundedUp(to step: Int) -> Int { (self + step - 1) / step * step }
}
