import ComputeCore
import OpenCLRuntime

extension SelectiveScan: OpenCLOperation {
    var roundableOperands: Set<String> { ["output"] }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let (batch, length, channels) = (input.shape[0], input.shape[1], input.shape[2])
        let carries = initialState != nil || finalState != nil
        var arguments: [KernelArgument] = [
            .int(length), .int(channels), try binder.argument(input), try binder.argument(delta),
        ]
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
        let grid = Grid(self, path: binder.path, carries: carries, roundsOutput: binder.rounded.contains(output))
        return try commands
            + [binder.launch(grid.variant, global: grid.global(batch, channels), local: grid.local, arguments)]
    }

    func scratchBytes(on backend: OpenCLBackend, given _: RoundedTensors) throws(OpenCLError) -> [Int] {
        guard (initialState == nil) != (finalState == nil) else { return [] }
        return [4 * input.shape[0] * input.shape[2] * stateCount]
    }
}

/// The variant of a path and its work-groups.
private struct Grid {
    let variant: KernelVariant
    let local: SIMD3<Int>?
    private let channelsPerGroup: Int
    private let timesPerGroup: Int

    init(_ scan: SelectiveScan, path: KernelPath, carries: Bool, roundsOutput: Bool) {
        let common: (n: Int, carry: Int?) = (scan.stateCount, carries.define)
        switch path {
        case .vector:
            variant = KernelVariant(
                .selectiveScanSerial,
                [
                    "N": common.n, "LANES": 16, "CARRY_STATE": common.carry, "RESULT_BFLOAT16": roundsOutput.define,
                ])
            (channelsPerGroup, timesPerGroup) = (1, 1)
            local = SIMD3(1, 1, 1)
        case .group:
            // 256 work-items scan 256 positions of 8 channels at a time.
            (channelsPerGroup, timesPerGroup) = (8, 32)
            variant = KernelVariant(
                .selectiveScanParallel,
                ["N": common.n, "LANES": 1, "CHANNELS": 8, "TIMES": 32, "ITEMS": 8, "CARRY_STATE": common.carry])
            local = SIMD3(channelsPerGroup, timesPerGroup, 1)
        case .simple:
            variant = KernelVariant(.selectiveScanNaive, ["N": common.n, "CARRY_STATE": common.carry])
            (channelsPerGroup, timesPerGroup) = (1, 1)
            local = nil
        }
    }

    func global(_ batch: Int, _ channels: Int) -> SIMD3<Int> {
        switch variant.file {
        case .selectiveScanParallel:
            SIMD3(channels.roundedUp(to: channelsPerGroup), timesPerGroup, batch)
        case .selectiveScanSerial: SIMD3(channels.dividedRoundingUp(by: 16), batch, 1)
        default: SIMD3(channels, batch, 1)
        }
    }
}
