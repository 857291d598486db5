import ComputeCore
import OpenCLRuntime

/// C = activation(A · Wᵀ + bias) + residual: what linear layers and both strided convolutions come down to.
///
/// M rows of A in `batch` samples, W [N, K] as ``ParameterPacking`` keeps it. Three providers compute it: the panel
/// kernel on the vector path, CLBlast and an epilogue on the group path, the plain kernel on the simple path. On each the
/// order of a sum depends on K alone; CLBlast, which chooses its kernel by the number of rows, is given one sample at a time.
struct MatrixProduct {
    /// A row-major matrix inside a buffer.
    struct Matrix {
        let buffer: Buffer
        let offset: Int
        let stride: Int

        var arguments: [KernelArgument] { [.buffer(buffer), .int(offset), .int(stride)] }
    }

    let batch: Int
    let rowsPerSample: Int
    let n: Int
    let k: Int
    let input: Matrix
    let weight: Buffer
    var bias: Buffer?
    var activation = Activation.none
    var residual: Matrix?
    let output: Matrix

    private var rows: Int { batch * rowsPerSample }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        switch binder.path {
        case .vector: [try panels(binder)]
        case .simple: [try naive(binder)]
        case .group: try products(binder) + epilogue(binder)
        }
    }

    private func variant(_ file: KernelFile, lanes: Int) -> KernelVariant {
        KernelVariant(
            file, ["LANES": lanes, "BIAS": (bias != nil).define, "RESIDUAL": (residual != nil).define]
        ).defining("ACTIVATION", activation == .none ? "identity" : activation.rawValue)
    }

    /// Bias, then residual with offset and stride; buffers that a variant does not read stand in for absent ones.
    private var epilogueArguments: [KernelArgument] {
        [.buffer(bias ?? output.buffer)] + (residual ?? output).arguments
    }

    private func panels(_ binder: Binder) throws(OpenCLError) -> Command {
        // Large blocks keep a panel in cache; small shapes are cut finer, so that every core has some.
        let panelCount = n.dividedRoundingUp(by: ParameterPacking.panelWidth)
        let blockRows = [64, 32, 16].first { rowsPerSample.dividedRoundingUp(by: $0) * panelCount >= 64 } ?? 8
        return try binder.launch(
            variant(.matmulPanels, lanes: 16),
            global: SIMD3(rows.dividedRoundingUp(by: blockRows), panelCount, 1), local: SIMD3(1, 1, 1),
            input.arguments + [.buffer(weight)] + epilogueArguments + output.arguments
                + [.int(rows), .int(n), .int(k), .int(blockRows)])
    }

    private func naive(_ binder: Binder) throws(OpenCLError) -> Command {
        try binder.launch(
            variant(.matmulNaive, lanes: 1), global: SIMD3(n, rows, 1),
            input.arguments + [.buffer(weight)] + epilogueArguments + output.arguments + [.int(k)])
    }

    private func products(_ binder: Binder) throws(OpenCLError) -> [Command] {
        (0..<batch).map { sample in
            .product(
                BLASProduct(
                    m: rowsPerSample, n: n, k: k, a: input.buffer,
                    aOffset: input.offset + sample * rowsPerSample * input.stride, aStride: input.stride, b: weight, c: output.buffer,
                    cOffset: output.offset + sample * rowsPerSample * output.stride, cStride: output.stride,
                    temporary: binder.scratch.first, label: binder.label))
        }
    }

    private func epilogue(_ binder: Binder) throws(OpenCLError) -> [Command] {
        guard bias != nil || activation != .none || residual != nil else { return [] }
        return [
            try binder.launch(
                variant(.linearEpilogue, lanes: 1), global: SIMD3(n, rows, 1),
                epilogueArguments + output.arguments + [.int(n)])
        ]
    }

    /// The temporary memory of one product on the group path.
    static func scratchBytes(
        m: Int, n: Int, k: Int, aStride: Int, cStride: Int, on backend: OpenCLBackend
    ) throws(OpenCLError) -> [Int] {
        guard backend.path == .group else { return [] }
        let bytes = try BLASProduct.temporaryBytes(
            m: m, n: n, k: k, aStride: aStride, cStride: cStride, on: backend.context)
        return bytes == 0 ? [] : [bytes]
    }
}

extension Binder {
    /// A view as a matrix of a product.
    func matrix(_ view: MatrixView) throws(OpenCLError) -> MatrixProduct.Matrix {
        MatrixProduct.Matrix(buffer: try buffer(view.tensor), offset: view.offset, stride: view.rowStride)
    }
}
