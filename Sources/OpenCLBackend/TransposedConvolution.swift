import ComputeCore
import OpenCLRuntime

/// One product per tap: tap k fills columns k·E … of y seen as the matrix [B·S, k₀·E].
extension TransposedConvolution: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let (features, channels) = (weight.shape[0], weight.shape[1])
        let kernel = try binder.buffer(weight)
        let tapBytes = kernel.byteCount / stride
        var commands: [Command] = []
        for tap in 0..<stride {
            commands += try MatrixProduct(
                batch: input.shape[0], rowsPerSample: input.shape[1], n: channels, k: features,
                input: binder.matrix(input.matrix),
                weight: kernel.slice(offset: tap * tapBytes, bytes: tapBytes), bias: binder.buffer(bias),
                activation: activation,
                output: MatrixProduct.Matrix(
                    buffer: binder.buffer(output), offset: tap * channels, stride: stride * channels,
                    roundedBytes: binder.rounded.elementBytes(of: output))
            ).commands(binder)
        }
        return commands
    }

    var roundableOperands: Set<String> { ["output"] }

    func scratchBytes(on backend: OpenCLBackend, given _: RoundedTensors) throws(OpenCLError) -> [Int] {
        try MatrixProduct.scratchBytes(
            m: input.shape[1], n: weight.shape[1], k: weight.shape[0], a: input.matrix.sampleLayout,
            c: BLASProduct.Layout(isOffset: true, stride: stride * weight.shape[1]), on: backend)
    }
}
