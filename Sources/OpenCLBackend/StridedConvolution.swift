import ComputeCore
import OpenCLRuntime

/// Windows that do not overlap are rows: x [B, L, E] is the matrix [B·S, k₀·E] as it lies.
extension StridedConvolution: OpenCLOperation {
    private var depth: Int { weight.shape[1] * stride }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        try MatrixProduct(
            batch: output.shape[0], rowsPerSample: output.shape[1], n: weight.shape[0], k: depth,
            input: MatrixProduct.Matrix(buffer: binder.buffer(input), offset: 0, stride: depth),
            weight: binder.buffer(weight), bias: binder.buffer(bias), activation: activation,
            output: binder.matrix(output.matrix)
        ).commands(binder)
    }

    func scratchBytes(on backend: OpenCLBackend, given _: RoundedTensors) throws(OpenCLError) -> [Int] {
        try MatrixProduct.scratchBytes(
            m: output.shape[1], n: weight.shape[0], k: depth,
            a: BLASProduct.Layout(isOffset: output.shape[0] > 1, stride: depth), c: output.matrix.sampleLayout,
            on: backend)
    }
}
