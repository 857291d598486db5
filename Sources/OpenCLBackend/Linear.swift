import ComputeCore
import OpenCLRuntime

extension Linear: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        try MatrixProduct(
            batch: input.batch, rowsPerSample: input.rowsPerSample, n: weight.shape[0], k: weight.shape[1],
            input: binder.matrix(input), weight: binder.buffer(weight), bias: binder.optional(bias),
            activation: activation,
            residual: residual.map { tensor throws(OpenCLError) in try binder.matrix(tensor.matrix) },
            output: binder.matrix(output)
        ).commands(binder)
    }

    func scratchBytes(on backend: OpenCLBackend) throws(OpenCLError) -> [Int] {
        try MatrixProduct.scratchBytes(
            m: input.rowsPerSample, n: weight.shape[0], k: weight.shape[1], aStride: input.rowStride,
            cStride: output.rowStride, on: backend)
    }
}

extension Binder {
    /// The buffer of a tensor, if there is one.
    func optional(_ tensor: Tensor?) throws(OpenCLError) -> Buffer? {
        guard let tensor else { return nil }
        return try buffer(tensor)
    }
}
