import ComputeCore
import OpenCLRuntime

extension SelectiveScan: OpenCLOperation {
    var roundableOperands: Set<String> { ["output"] }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let (length, channels) = (input.shape[1], input.shape[2])
        let carries = initialState != nil || finalState != nil
        let grid = Grid(self, binder: binder, carries: carries)
        var arguments: [KernelArgument] = [.int(length), .int(channels)] + grid.sizes
        arguments += [try binder.argument(input), try binder.argument(delta)]
        arguments += try binder.arguments(inputMatrix) + binder.arguments(outputMatrix) + binder.arguments(gate)
        arguments += [try binder.argument(logDecay), try binder.argument(skip), try binder.argument(output)]
        var commands: [Command] = []
        if carries {
            // The kernel wants both states: scratch stands in for the absent one, cleared where it is read.
            if initialState == nil { commands.append(.clear(binder.scratch[0])) }
            arguments += [
                .buffer(try binder.optional(initialState) ?? binder.scratch[0]),
                .buffer(try binder.optional(finalState) ?? binder.scratch[0]),
            ]
        }
        return try commands
            + [binder.launch(grid.variant, global: grid.global, local: grid.local, arguments)]
    }

    func scratchBytes(on backend: OpenCLBackend, given _: RoundedTensors) throws(OpenCLError) -> [Int] {
        guard (initialState == nil) != (finalState == nil) else { return [] }
        return [4 * input.shape[0] * input.shape[2] * stateCount]
    }
}

/// The variant of a path, its work-groups and the sizes that it takes besides length and channels.
private struct Grid {
    let variant: KernelVariant
    let global: SIMD3<Int>
    let local: SIMD3<Int>?
    private(set) var sizes: [KernelArgument] = []

    init(_ scan: SelectiveScan, binder: Binder, carries: Bool) {
        let (batch, channels) = (scan.input.shape[0], scan.input.shape[2])
        let common: (n: Int, carry: Int?) = (scan.stateCount, carries.define)
        switch binder.path {
        case .vector:
            // The more vectors of channels a work-item owns the longer the runs of memory that it reads, up to half a page,
            // but every core wants some.
            let vectors = channels.dividedRoundingUp(by: binder.path.lanes)
            let cores = binder.backend.context.device.computeUnits
            let blocks = min((vectors * batch).dividedRoundingUp(by: cores), vectors, Self.maxBlocks)
            variant = KernelVariant(
                .selectiveScanSerial,
                [
                    "N": common.n, "LANES": binder.path.lanes, "MAX_BLOCKS": Self.maxBlocks,
                    "CARRY_STATE": common.carry, "RESULT_BFLOAT16": binder.rounded.elementBytes(of: scan.output),
                ])
            global = SIMD3(vectors.dividedRoundingUp(by: blocks), batch, 1)
            local = SIMD3(1, 1, 1)
            sizes = [.int(blocks)]
        case .group:
            // 256 work-items scan 256 positions of 8 channels at a time, fewer work-items fewer positions.
            let (columns, items) = (8, 8)
            let times = max(1, binder.group(atMost: 256) / columns)
            variant = KernelVariant(
                .selectiveScanParallel,
                [
                    "N": common.n, "LANES": 1, "CHANNELS": columns, "TIMES": times, "ITEMS": items,
                    "CARRY_STATE": common.carry,
                ])
            global = SIMD3(channels.roundedUp(to: columns), times, batch)
            local = SIMD3(columns, times, 1)
        case .simple:
            variant = KernelVariant(.selectiveScanNaive, ["N": common.n, "CARRY_STATE": common.carry])
            global = SIMD3(channels, batch, 1)
            local = nil
        }
    }

    private static let maxBlocks = 32
}
