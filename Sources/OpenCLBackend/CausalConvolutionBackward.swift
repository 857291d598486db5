import ComputeCore
import OpenCLRuntime

extension CausalConvolutionBackward: OpenCLOperation {
    private var batch: Int { outputGradient.shape[0] }
    private var length: Int { outputGradient.shape[1] }
    private var channels: Int { outputGradient.shape[2] }

    /// Positions of one work-item, whose share of the kernel's and the bias's gradient it keeps.
    private func span(on path: KernelPath) -> Int { path == .vector ? length.dividedRoundingUp(by: 4) : 16 }

    private func spans(on path: KernelPath) -> Int { length.dividedRoundingUp(by: span(on: path)) }

    private func weightSum(on path: KernelPath) -> RowSum {
        RowSum(rows: batch * spans(on: path), columns: channels * forward.width)
    }

    private func biasSum(on path: KernelPath) -> RowSum { RowSum(rows: batch * spans(on: path), columns: channels) }

    func scratchBytes(on backend: OpenCLBackend, given _: RoundedTensors) throws(OpenCLError) -> [Int] {
        let (weights, biases) = (weightSum(on: backend.path), biasSum(on: backend.path))
        return [4 * weights.rows * weights.columns, 4 * biases.rows * biases.columns] + weights.scratchBytes
    }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let lanes = binder.path.lanes
        let sizes: [KernelArgument] = [
            .int(length), .int(channels), .int(span(on: binder.path)), .int(spans(on: binder.path)),
        ]
        let parts = binder.scratch.prefix(2)
        let reads =
            try binder.arguments(forward.input) + [
                binder.argument(forward.weight), binder.argument(forward.bias), binder.argument(outputGradient),
            ]
        var commands = [
            try binder.launch(
                KernelVariant(.causalConvolutionBackward, ["LANES": lanes, "WIDTH": forward.width]),
                global: SIMD3(channels.dividedRoundingUp(by: lanes), spans(on: binder.path), batch),
                sizes + reads + binder.arguments(inputGradient) + parts.map(KernelArgument.buffer))
        ]
        let sums = [(weightSum(on: binder.path), weightGradient), (biasSum(on: binder.path), biasGradient)]
        for (part, (sum, target)) in zip(parts, sums) {
            commands += try sum.commands(
                MatrixProduct.Matrix(buffer: part, offset: 0, stride: sum.columns), into: binder.buffer(target),
                scratch: binder.scratch.dropFirst(2), binder)
        }
        return commands
    }
}
