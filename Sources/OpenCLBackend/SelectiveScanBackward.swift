import ComputeCore
import OpenCLRuntime

extension SelectiveScanBackward: OpenCLOperation {
    private var batch: Int { outputGradient.shape[0] }
    private var length: Int { outputGradient.shape[1] }
    private var channels: Int { outputGradient.shape[2] }
    private var states: Int { forward.stateCount }
    /// How a backend's work-groups share out the channels.
    private struct Groups {
        /// Work-items of a group: on the group path one for each of its channels.
        let items: Int
        /// Channels of a group, which keeps their share of dB and dC.
        let span: Int
        /// Positions whose states a work-item computes again at once; several share what it takes of local memory.
        let tile: Int

        init(on backend: OpenCLBackend) {
            items = backend.group(atMost: 64)
            (span, tile) =
                switch backend.path {
                case .vector: (64, 32)
                case .group: (items, 8)
                case .simple: (8, 32)
                }
        }
    }

    private func parts(_ groups: Groups) -> Int { channels.dividedRoundingUp(by: groups.span) }

    private var logDecaySum: RowSum { RowSum(rows: batch, columns: channels * states) }
    private var skipSum: RowSum { RowSum(rows: batch, columns: channels) }

    /// The states before every tile, the shares of dB and dC, and dA_log and dD of every sample.
    func scratchBytes(on backend: OpenCLBackend, given _: RoundedTensors) throws(OpenCLError) -> [Int] {
        let groups = Groups(on: backend)
        let parts = parts(groups)
        let tiles = length.dividedRoundingUp(by: groups.tile)
        return [
            4 * batch * parts * tiles * states * groups.items * backend.path.lanes,
            4 * parts * batch * length * 2 * states, 4 * batch * channels * states, 4 * batch * channels,
        ] + logDecaySum.scratchBytes
    }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let (checkpoints, shares) = (binder.scratch[0], binder.scratch[1])
        let (logDecays, skips) = (binder.scratch[2], binder.scratch[3])
        let groups = Groups(on: binder.backend)
        let parts = parts(groups)
        let defines: KeyValuePairs<String, Int?> = [
            "N": states, "TIME_TILE": groups.tile, "LANES": binder.path.lanes, "GROUP": groups.items,
        ]
        var arguments: [KernelArgument] = [.int(length), .int(channels), .int(groups.span)]
        arguments += [try binder.argument(forward.input), try binder.argument(forward.delta)]
        arguments += try binder.arguments(forward.inputMatrix) + binder.arguments(forward.outputMatrix)
        arguments += try binder.arguments(forward.gate)
        arguments += [
            try binder.argument(forward.logDecay), try binder.argument(forward.skip),
            try binder.argument(outputGradient), try binder.argument(inputGradient), try binder.argument(deltaGradient),
        ]
        arguments += try binder.arguments(gateGradient)
        arguments += [.buffer(logDecays), .buffer(skips), .buffer(checkpoints), .buffer(shares)]
        return try [
            binder.launch(
                KernelVariant(.selectiveScanBackward, defines), global: SIMD3(parts * groups.items, batch, 1),
                local: SIMD3(groups.items, 1, 1), arguments),
            binder.launch(
                KernelVariant(.selectiveScanBackward, entry: "selective_scan_backward_reduce", defines),
                global: SIMD3(2 * states, batch * length, 1),
                [.int(parts), .int(batch * length), .buffer(shares)] + binder.arguments(inputMatrixGradient)
                    + binder.arguments(outputMatrixGradient)),
        ]
            + logDecaySum.commands(
                MatrixProduct.Matrix(buffer: logDecays, offset: 0, stride: channels * states),
                into: binder.buffer(logDecayGradient), scratch: binder.scratch.dropFirst(4), binder)
            + skipSum.commands(
                MatrixProduct.Matrix(buffer: skips, offset: 0, stride: channels), into: binder.buffer(skipGradient),
                scratch: binder.scratch.dropFirst(4), binder)
    }
}
