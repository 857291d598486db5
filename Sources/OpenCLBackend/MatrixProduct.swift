import ComputeCore
import OpenCLRuntime

/// C = activation(A · Wᵀ + bias) + residual: what linear layers and both strided convolutions come down to.
///
/// M rows of A in `batch` samples, W [N, K] as ``ParameterPacking`` keeps it. Four providers compute it: the panel
/// kernel or that of the matrix tiles on the vector path, CLBlast and an epilogue on the group path, the plain kernel on the
/// simple path. On each the order of a sum depends on K alone; CLBlast, which chooses its kernel by the number of rows, is
/// given one sample at a time.
struct MatrixProduct {
    /// A row-major matrix inside a buffer.
    struct Matrix {
        let buffer: Buffer
        let offset: Int
        let stride: Int
        /// Bytes of an element if it is rounded to bfloat16; see ``RoundedTensors``.
        var roundedBytes: Int?

        var arguments: [KernelArgument] { [.buffer(buffer), .int(offset), .int(stride)] }

        /// The matrix from a later row on.
        func skipping(_ rows: Int) -> Matrix {
            Matrix(buffer: buffer, offset: offset + rows * stride, stride: stride, roundedBytes: roundedBytes)
        }
    }

    /// The operands of a layer norm of C's rows, beside C.
    struct RowNorm {
        let weight: Buffer
        let bias: Buffer
        let epsilon: Float
        let output: Buffer
        /// Bytes of an element of the output if it is rounded to bfloat16.
        let roundedBytes: Int?

        var arguments: [KernelArgument] { [.buffer(weight), .buffer(bias), .float32(epsilon), .buffer(output)] }
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
    /// Of the factors. Those of bfloat16 that are not rounded already are rounded into scratch memory first, the input and
    /// then the weight; see ``OpenCLBackend/factorBytes(_:rows:k:)``.
    var precision = Precision.float32
    var weightIsRounded = false
    let output: Matrix
    /// A norm of C's rows that the panel kernel computes along; see ``NormEpilogues``.
    var norm: RowNorm?

    private var rows: Int { batch * rowsPerSample }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        switch binder.path {
        case .vector: try panels(binder)
        case .simple: [try naive(binder)]
        case .group: try products(binder) + epilogue(binder)
        }
    }

    private func variant(
        _ file: KernelFile, lanes: Int, tile: ProductTile? = nil, takesPairs: Bool = false
    ) -> KernelVariant {
        KernelVariant(
            file,
            [
                "LANES": lanes, "ROWS": tile?.rows, "PANELS": tile?.panels,
                "BIAS": (bias != nil).define, "RESIDUAL": (residual != nil).define,
                "NORM": (norm != nil).define, "BFLOAT16": takesPairs.define,
                "RESULT_BFLOAT16": norm == nil ? output.roundedBytes : norm?.roundedBytes,
                "SHALLOW": (tile?.isShallow(k) == true).define,
            ]
        ).defining("ACTIVATION", activation.functionName)
    }

    /// Bias, then residual with offset and stride; buffers that a variant does not read stand in for absent ones.
    private var epilogueArguments: [KernelArgument] {
        [.buffer(bias ?? output.buffer)] + (residual ?? output).arguments
    }

    private func panels(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let shape = ProductShape(rows: rowsPerSample, outputs: n, inputs: k, precision: precision)
        let (left, right, roundings) = try factors(binder)
        let tile = binder.backend.productTile(precision, depth: k)
        let blockRows = binder.backend.tuning.rows(of: shape, tile: tile)
        let product = try binder.launch(
            variant(tile.kernel, lanes: 16, tile: tile, takesPairs: binder.backend.takesPairs(precision)),
            global: grid(tile: tile, blockRows: blockRows, units: binder.backend.context.device.computeUnits),
            local: SIMD3(1, 1, 1),
            left.arguments + [.buffer(right)] + epilogueArguments + output.arguments
                + [.int(rows), .int(n), .int(binder.backend.depth(precision, k))] + (norm?.arguments ?? []))
        return roundings + [product]
    }

    /// Work-groups side by side and one below the other. Those that normalise own whole rows, and each compute unit as many.
    private func grid(tile: ProductTile, blockRows: Int, units: Int) -> SIMD3<Int> {
        let blocks = rows.dividedRoundingUp(by: blockRows)
        return norm == nil
            ? SIMD3(n.dividedRoundingUp(by: tile.columns), blocks, 1) : SIMD3(1, blocks.roundedUp(to: units), 1)
    }

    private var panelCount: Int { n.dividedRoundingUp(by: ParameterPacking.panelWidth) }

    /// A and the panels of W as the kernel takes them, and what rounds them before.
    private func factors(
        _ binder: Binder
    ) throws(OpenCLError) -> (left: Matrix, right: Buffer, roundings: [Command]) {
        guard precision == .bfloat16 else { return (input, weight, []) }
        let (depth, takesPairs) = (binder.backend.depth(precision, k), binder.backend.takesPairs(precision))
        var left = Matrix(buffer: input.buffer, offset: 0, stride: depth)
        var right = weight
        var roundings: [Command] = []
        var scratch = binder.scratch[...]
        if input.roundedBytes == nil {
            left = Matrix(buffer: try binder.next(of: &scratch), offset: 0, stride: depth)
            roundings.append(try binder.rounding(input, rows: rows, columns: k, into: left))
        }
        if !weightIsRounded {
            right = try binder.next(of: &scratch)
            let width = ParameterPacking.panelWidth
            roundings.append(
                takesPairs
                    ? try binder.launch(
                        .packPairs("round_panels"), global: SIMD3(depth, panelCount, 1),
                        [.buffer(weight), .buffer(right), .int(k)])
                    : try binder.rounding(
                        Matrix(buffer: weight, offset: 0, stride: width), rows: panelCount * k, columns: width,
                        into: Matrix(buffer: right, offset: 0, stride: width)))
        }
        return (left, right, roundings)
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
                    m: rowsPerSample, n: n, k: k, a: BLASProduct.Factor(matrix: input.skipping(sample * rowsPerSample)),
                    b: BLASProduct.Factor(matrix: Matrix(buffer: weight, offset: 0, stride: k), isTransposed: true),
                    c: output.skipping(sample * rowsPerSample), temporary: binder.scratch.first, label: binder.label))
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

    /// The temporary memory of one product on the group path; more where a matrix does not start its buffer.
    static func scratchBytes(
        m: Int, n: Int, k: Int, a: BLASProduct.Layout, c: BLASProduct.Layout, on backend: OpenCLBackend
    ) throws(OpenCLError) -> [Int] {
        guard backend.path == .group else { return [] }
        let bytes = try BLASProduct.temporaryBytes(
            m: m, n: n, k: k, a: a, b: BLASProduct.Layout(stride: k, isTransposed: true), c: c, on: backend.context)
        return bytes == 0 ? [] : [bytes]
    }
}

extension MatrixView {
    /// The layout of the view's samples, each of which is a matrix of its own.
    var sampleLayout: BLASProduct.Layout { BLASProduct.Layout(isOffset: offset > 0 || batch > 1, stride: rowStride) }
}

extension Binder {
    /// A view as a matrix of a product.
    func matrix(_ view: MatrixView) throws(OpenCLError) -> MatrixProduct.Matrix {
        MatrixProduct.Matrix(
            buffer: try buffer(view.tensor), offset: view.offset, stride: view.rowStride,
            roundedBytes: rounded.elementBytes(of: view.tensor))
    }

    /// The next scratch buffer.
    func next(of scratch: inout ArraySlice<Buffer>) throws(OpenCLError) -> Buffer {
        guard let buffer = scratch.popFirst() else {
            throw .invalidArgument(name: "\(label): scratch", expected: "another buffer", got: "none")
        }
        return buffer
    }

    /// Rounds a matrix to rows of bfloat16, pairs or floats.
    func rounding(
        _ source: MatrixProduct.Matrix, rows: Int, columns: Int, into rounded: MatrixProduct.Matrix
    ) throws(OpenCLError) -> Command {
        try launch(
            backend.takesPairs(.bfloat16)
                ? KernelVariant.packPairs("round_pairs") : KernelVariant(.roundRows),
            global: SIMD3(columns.dividedRoundingUp(by: 32), rows, 1),
            source.arguments + rounded.arguments + [.int(columns)])
    }
}
