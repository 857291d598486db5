import ComputeCore
import OpenCLRuntime

/// Windows that do not overlap are rows: x [B, L, E] is the matrix [B·S, k₀·E] as it lies, and so is its gradient.
extension StridedConvolutionBackward: OpenCLOperation {
    private var rows: Int { outputGradient.matrix.rows }
    private var features: Int { forward.weight.shape[0] }
    private var depth: Int { forward.weight.shape[1] * forward.stride }
    private var biasSum: RowSum { RowSum(rows: rows, columns: features) }

    func scratchBytes(on backend: OpenCLBackend, given _: RoundedTensors) throws(OpenCLError) -> [Int] {
        try biasSum.scratchBytes
            + MatrixProductBackward.scratchBytes(
                rows: rows, n: features, k: depth, inputStride: depth, outputStride: features, on: backend)
    }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let slope = try binder.matrix(outputGradient.matrix)
        let biasScratch = biasSum.scratchBytes.count
        return try MatrixProductBackward(
            rows: rows, n: features, k: depth,
            input: MatrixProduct.Matrix(buffer: binder.buffer(forward.input), offset: 0, stride: depth),
            weight: binder.buffer(forward.weight), outputGradient: slope,
            inputGradient: MatrixProduct.Matrix(buffer: binder.buffer(inputGradient), offset: 0, stride: depth),
            accumulates: false, weightGradient: binder.buffer(weightGradient)
        ).commands(binder, scratch: binder.scratch.dropFirst(biasScratch))
            + biasSum.commands(
                slope, into: binder.buffer(biasGradient), scratch: binder.scratch.prefix(biasScratch), binder)
    }
}
