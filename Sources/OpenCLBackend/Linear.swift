import ComputeCore
import OpenCLRuntime

extension Linear: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        try MatrixProduct(
            batch: input.batch, rowsPerSample: input.rowsPerSample, n: weight.shape[0], k: weight.shape[1],
            input: binder.matrix(input), weight: binder.buffer(weight), bias: binder.optional(bias),
            activation: activation,
            residual: residual.map { tensor throws(OpenCLError) in try binder.matrix(tensor.matrix) },
            precision: precision, weightIsRounded: binder.rounded.contains(weight), output: binder.matrix(output),
            norm: binder.norm.map { norm throws(OpenCLError) in try binder.rowNorm(norm) }
        ).commands(binder)
    }

    /// Whole rows only: a part of a row need not start with a pair.
    var roundableOperands: Set<String> {
        var names: Set<String> = []
        if output.columns == output.rowStride { names.insert("output") }
        if precision == .bfloat16, input.columns == input.rowStride { names.insert("input") }
        return names
    }

    func scratchBytes(on backend: OpenCLBackend, given rounded: RoundedTensors) throws(OpenCLError) -> [Int] {
        if precision == .bfloat16 {
            let rows = backend.factorBytes(precision, rows: input.rows, k: weight.shape[1])
            let panels = backend.packing(.bfloat16Matrix, weight.shape).byteCount
            return (rounded.contains(input.tensor) ? [] : [rows]) + (rounded.contains(weight) ? [] : [panels])
        }
        return try MatrixProduct.scratchBytes(
            m: input.rowsPerSample, n: weight.shape[0], k: weight.shape[1], a: input.sampleLayout,
            c: output.sampleLayout, on: backend)
    }
}

extension Binder {
    /// The operands of a norm as a product takes them.
    func rowNorm(_ norm: LayerNorm) throws(OpenCLError) -> MatrixProduct.RowNorm {
        MatrixProduct.RowNorm(
            weight: try buffer(norm.weight), bias: try buffer(norm.bias), epsilon: norm.epsilon,
            output: try buffer(norm.output),
            roundedBytes: rounded.elementBytes(of: norm.output))
    }

    /// The buffer of a tensor, if there is one.
    func optional(_ tensor: Tensor?) throws(OpenCLError) -> Buffer? {
        guard let tensor else { return nil }
        return try buffer(tensor)
    }
}
