import ComputeCore
import OpenCLRuntime

/// The gradients of Y = X · Wᵀ, which is what linear layers and both strided convolutions come down to:
/// dX (+)= dY · W and dW += dYᵀ · X, dW in the layout in which W is resident.
///
/// On the vector path both products run in the panel kernel or, of bfloat16 factors, in that of the matrix tiles, W being
/// transposed and X and dY packed first; on the group path CLBlast takes the factors as they lie.
struct MatrixProductBackward {
    let rows: Int
    let n: Int
    let k: Int
    let input: MatrixProduct.Matrix
    let weight: Buffer
    let outputGradient: MatrixProduct.Matrix
    let inputGradient: MatrixProduct.Matrix
    let accumulates: Bool
    let weightGradient: Buffer
    /// Of the factors; float32 ones of a bfloat16 product are rounded on their way.
    var precision = Precision.float32

    private static let panel = ParameterPacking.panelWidth
    /// Terms of a weight's gradient that are summed at a time, or pairs of them.
    private static let depth = 512

    /// The launches; `scratch` is what ``scratchBytes(rows:n:k:inputStride:outputStride:precision:on:)`` asks for.
    func commands(_ binder: Binder, scratch: ArraySlice<Buffer>) throws(OpenCLError) -> [Command] {
        switch binder.path {
        case .vector: try panels(binder, Array(scratch))
        case .group: products(binder, temporary: scratch.first)
        case .simple: try naive(binder)
        }
    }

    /// On the vector path Wᵀ, X and dY in panels (X in blocks for the matrix tiles), and of bfloat16 products dY's rows rounded;
    /// on the group path CLBlast's temporary memory.
    static func scratchBytes(
        rows: Int, n: Int, k: Int, inputStride: Int, outputStride: Int, precision: Precision = .float32,
        on backend: OpenCLBackend
    ) throws(OpenCLError) -> [Int] {
        switch backend.path {
        case .vector:
            let (inputs, outputs) = (k.roundedUp(to: panel), n.roundedUp(to: panel))
            let factors = [(inputs, n), (inputs, rows), (outputs, rows)] + (precision == .bfloat16 ? [(rows, n)] : [])
            return factors.map { backend.factorBytes(precision, rows: $0, k: $1) }
        case .group:
            let dense = BLASProduct.Layout(stride: k)
            let slope = BLASProduct.Layout(isOffset: true, stride: outputStride)
            let turned = BLASProduct.Layout(isOffset: true, stride: outputStride, isTransposed: true)
            let input = BLASProduct.Layout(isOffset: true, stride: inputStride)
            let bytes = try max(
                BLASProduct.temporaryBytes(m: rows, n: k, k: n, a: slope, b: dense, c: input, on: backend.context),
                BLASProduct.temporaryBytes(m: n, n: k, k: rows, a: turned, b: input, c: dense, on: backend.context))
            return bytes == 0 ? [] : [bytes]
        case .simple:
            return []
        }
    }

    // MARK: - Vector path

    private func panels(_ binder: Binder, _ scratch: [Buffer]) throws(OpenCLError) -> [Command] {
        let (turnedWeight, packedInput, packedGradient) = (scratch[0], scratch[1], scratch[2])
        var commands = [
            try binder.launch(
                packing(binder, pairs: "transpose_round_panels", floats: "transpose_panels"),
                global: SIMD3(n.dividedRoundingUp(by: Self.panel), k.dividedRoundingUp(by: Self.panel), 1),
                [.buffer(weight), .buffer(turnedWeight), .int(n), .int(k)]),
            try pack(binder, outputGradient, columns: n, into: packedGradient),
            try packLeft(binder, into: packedInput),
        ]
        var slope = outputGradient
        if precision == .bfloat16 {
            slope = MatrixProduct.Matrix(buffer: scratch[3], offset: 0, stride: binder.backend.depth(precision, n))
            commands.append(try binder.rounding(outputGradient, rows: rows, columns: n, into: slope))
        }
        let whole = MatrixProduct.Matrix(buffer: packedInput, offset: 0, stride: 0)
        let target = MatrixProduct.Matrix(buffer: weightGradient, offset: 0, stride: 0)
        return try commands + [
            product(
                binder, ["RESIDUAL": accumulates.define], a: slope, panels: turnedWeight, c: inputGradient, m: rows,
                n: k, k: n),
            product(
                binder, ["RESIDUAL": 1, "A_PANELS": 1, "C_PANELS": 1], a: whole, panels: packedGradient, c: target,
                m: k, n: n, k: rows, depth: Self.depth),
        ]
    }

    /// C (+)= A · P of K terms, `depth` elements of a row of A at a time.
    private func product(
        _ binder: Binder, _ defines: KeyValuePairs<String, Int?>, a: MatrixProduct.Matrix, panels: Buffer,
        c: MatrixProduct.Matrix, m: Int, n: Int, k: Int, depth: Int? = nil
    ) throws(OpenCLError) -> Command {
        let tile = binder.backend.productTile(precision, depth: k)
        let elements = binder.backend.depth(precision, k)
        let blockRows = tile.blockRows(m, outputs: n, rowBytes: 4 * min(elements, depth ?? elements))
        // Without a bias its argument is unread; C is its own residual where it is added to.
        return try binder.launch(
            KernelVariant(
                tile.kernel, defines,
                and: [
                    "ROWS": tile.rows, "PANELS": tile.panels, "DEPTH": depth,
                    "BFLOAT16": binder.backend.takesPairs(precision).define,
                ]),
            global: SIMD3(n.dividedRoundingUp(by: tile.columns), m.dividedRoundingUp(by: blockRows), 1),
            local: SIMD3(1, 1, 1),
            a.arguments + [.buffer(panels), .buffer(c.buffer)] + c.arguments + c.arguments
                + [.int(m), .int(n), .int(elements)])
    }

    /// The transpose of X as the left factor of the weight's gradient: blocks for the matrix tiles, else panels.
    private func packLeft(_ binder: Binder, into packed: Buffer) throws(OpenCLError) -> Command {
        guard binder.backend.takesTiles(precision, depth: rows) else {
            return try pack(binder, input, columns: k, into: packed)
        }
        return try binder.launch(
            .packPairs("pack_blocks"),
            global: SIMD3(rows / Self.panel, k.dividedRoundingUp(by: Self.panel), 1),
            input.arguments + [.buffer(packed), .int(k), .int(rows)])
    }

    /// The transpose of a matrix in panels: 32 of its columns side by side, as deep as it has rows.
    private func pack(
        _ binder: Binder, _ source: MatrixProduct.Matrix, columns: Int, into panels: Buffer
    ) throws(OpenCLError) -> Command {
        try binder.launch(
            packing(binder, pairs: "pack_pairs", floats: "pack_panels"),
            global: SIMD3(binder.backend.depth(precision, rows), columns.dividedRoundingUp(by: Self.panel), 1),
            [
                .buffer(source.buffer), .int(source.offset), .int(1), .int(source.stride), .buffer(panels),
                .int(columns), .int(rows),
            ])
    }

    /// The kernel that packs factors as pairs, or as floats, which are rounded if they are bfloat16.
    private func packing(_ binder: Binder, pairs: String, floats: String) -> KernelVariant {
        binder.backend.takesPairs(precision)
            ? KernelVariant.packPairs(pairs)
            : KernelVariant(.packPanels, entry: floats, ["ROUND_FACTORS": (precision == .bfloat16).define])
    }

    // MARK: - Group path

    private func products(_ binder: Binder, temporary: Buffer?) -> [Command] {
        let dense = MatrixProduct.Matrix(buffer: weight, offset: 0, stride: k)
        let target = MatrixProduct.Matrix(buffer: weightGradient, offset: 0, stride: k)
        return [
            .product(
                BLASProduct(
                    m: rows, n: k, k: n, a: BLASProduct.Factor(matrix: outputGradient),
                    b: BLASProduct.Factor(matrix: dense), c: inputGradient, accumulates: accumulates,
                    temporary: temporary, label: binder.label)),
            .product(
                BLASProduct(
                    m: n, n: k, k: rows, a: BLASProduct.Factor(matrix: outputGradient, isTransposed: true),
                    b: BLASProduct.Factor(matrix: input), c: target, accumulates: true, temporary: temporary,
                    label: binder.label)),
        ]
    }

    // MARK: - Simple path

    private func naive(_ binder: Binder) throws(OpenCLError) -> [Command] {
        [
            try binder.launch(
                KernelVariant(.linearBackwardNaive, entry: "input_gradient_naive", ["LANES": 1]),
                global: SIMD3(k, rows, 1),
                outputGradient.arguments + [.buffer(weight)] + inputGradient.arguments
                    + [.int(n), .int(accumulates ? 1 : 0)]),
            try binder.launch(
                KernelVariant(.linearBackwardNaive, entry: "weight_gradient_naive", ["LANES": 1]),
                global: SIMD3(k, n, 1),
                outputGradient.arguments + input.arguments + [.buffer(weightGradient), .int(rows)]),
        ]
    }
}
