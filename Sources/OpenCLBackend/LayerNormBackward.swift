import ComputeCore
import OpenCLRuntime

extension LayerNormBackward: OpenCLOperation {
    private var width: Int { forward.input.shape[-1] }
    private var rows: Int { forward.input.matrix.rows }

    /// Rows of one work-group, whose share of the weight's and the bias's gradient it keeps.
    private func rowsPerGroup(on path: KernelPath) -> Int { path == .vector ? 32 : 8 }

    /// The two gradients' shares, one row per work-group.
    private func partSum(on path: KernelPath) -> RowSum {
        RowSum(rows: rows.dividedRoundingUp(by: rowsPerGroup(on: path)), columns: width)
    }

    func scratchBytes(on backend: OpenCLBackend, given _: RoundedTensors) throws(OpenCLError) -> [Int] {
        let sum = partSum(on: backend.path)
        return [4 * sum.rows * width, 4 * sum.rows * width] + sum.scratchBytes
    }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let sum = partSum(on: binder.path)
        let group = binder.group(atMost: 64)
        let variant = KernelVariant(
            .layerNormBackward,
            ["LANES": binder.path.lanes, "GROUP": group, "ROWS": rowsPerGroup(on: binder.path)])
        let sizes: [KernelArgument] = [
            .int(rows), .int(width), .float32(forward.epsilon), .int(accumulates ? 1 : 0),
        ]
        var commands = [
            try binder.launch(
                variant, global: SIMD3(sum.rows * group, 1, 1), local: SIMD3(group, 1, 1),
                sizes + [
                    binder.argument(forward.input), binder.argument(forward.weight), binder.argument(outputGradient),
                    binder.argument(inputGradient), .buffer(binder.scratch[0]), .buffer(binder.scratch[1]),
                ])
        ]
        for (parts, target) in [(binder.scratch[0], weightGradient), (binder.scratch[1], biasGradient)] {
            commands += try sum.commands(
                MatrixProduct.Matrix(buffer: parts, offset: 0, stride: width), into: binder.buffer(target),
                scratch: binder.scratch.dropFirst(2), binder)
        }
        return commands
    }
}
