import ComputeCore
import OpenCLRuntime

/// One pair of products per tap: tap k made columns k·E … of y seen as the matrix [B·S, k₀·E].
extension TransposedConvolutionBackward: OpenCLOperation {
    private var rows: Int { forward.input.matrix.rows }
    private var features: Int { forward.weight.shape[0] }
    private var channels: Int { forward.weight.shape[1] }
    private var biasSum: RowSum { RowSum(rows: rows * forward.stride, columns: channels) }

    func scratchBytes(on backend: OpenCLBackend, given _: RoundedTensors) throws(OpenCLError) -> [Int] {
        try biasSum.scratchBytes
            + MatrixProductBackward.scratchBytes(
                rows: rows, n: channels, k: features, inputStride: features, outputStride: forward.stride * channels,
                on: backend)
    }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let (kernel, slopes) = try (binder.buffer(forward.weight), binder.buffer(outputGradient))
        let kernelGradient = try binder.buffer(weightGradient)
        let biasScratch = biasSum.scratchBytes.count
        let tapBytes = kernel.byteCount / forward.stride
        var commands = try biasSum.commands(
            binder.matrix(outputGradient.matrix), into: binder.buffer(biasGradient),
            scratch: binder.scratch.prefix(biasScratch), binder)
        for tap in 0..<forward.stride {
            commands += try MatrixProductBackward(
                rows: rows, n: channels, k: features, input: binder.matrix(forward.input.matrix),
                weight: kernel.slice(offset: tap * tapBytes, bytes: tapBytes),
                outputGradient: MatrixProduct.Matrix(
                    buffer: slopes, offset: tap * channels, stride: forward.stride * channels),
                inputGradient: binder.matrix(inputGradient.matrix), accumulates: tap > 0,
                weightGradient: kernelGradient.slice(offset: tap * tapBytes, bytes: tapBytes)
            ).commands(binder, scratch: binder.scratch.dropFirst(biasScratch))
        }
        return commands
    }
}
