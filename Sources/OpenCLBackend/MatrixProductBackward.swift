import ComputeCore
import OpenCLRuntime

/// The gradients of Y = X · Wᵀ, which is what linear layers and both strided convolutions come down to:
/// dX (+)= dY · W and dW += dYᵀ · X, dW in the layout in which W is resident.
///
/// On the vector path both products run in the panel kernel, W being transposed and X and dY packed first; on the group
/// path CLBlast takes the factors as they lie.
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

    private static let panel = ParameterPacking.panelWidth
    /// Terms of a weight's gradient that are summed at a time.
    private static let depth = 512

    /// The launches; `scratch` is what ``scratchBytes(rows:n:k:inputStride:outputStride:on:)`` asks for.
    func commands(_ binder: Binder, scratch: ArraySlice<Buffer>) throws(OpenCLError) -> [Command] {
        switch binder.path {
        case .vector: try panels(binder, Array(scratch))
        case .group: products(binder, temporary: scratch.first)
        case .simple: try naive(binder)
        }
    }

    /// On the vector path Wᵀ, X and dY in panels; on the group path CLBlast's temporary memory.
    static func scratchBytes(
        rows: Int, n: Int, k: Int, inputStride: Int, outputStride: Int, on backend: OpenCLBackend
    ) throws(OpenCLError) -> [Int] {
        switch backend.path {
        case .vector:
            return [
                4 * k.roundedUp(to: panel) * n, 4 * k.roundedUp(to: panel) * rows, 4 * n.roundedUp(to: panel) * rows,
            ]
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
        let whole = MatrixProduct.Matrix(buffer: packedInput, offset: 0, stride: 0)
        let target = MatrixProduct.Matrix(buffer: weightGradient, offset: 0, stride: 0)
        return [
            try binder.launch(
                KernelVariant(.packPanels, entry: "transpose_panels"),
                global: SIMD3(n.dividedRoundingUp(by: Self.panel), k.dividedRoundingUp(by: Self.panel), 1),
                [.buffer(weight), .buffer(turnedWeight), .int(n), .int(k)]),
            try product(
                binder, ["RESIDUAL": accumulates.define], a: outputGradient, panels: turnedWeight, c: inputGradient,
                m: rows, n: k, k: n),
            try pack(binder, input, columns: k, into: packedInput),
            try pack(binder, outputGradient, columns: n, into: packedGradient),
            try product(
                binder, ["RESIDUAL": 1, "A_PANELS": 1, "C_PANELS": 1], a: whole, panels: packedGradient, c: target,
                m: k, n: n, k: rows, depth: Self.depth),
        ]
    }

    private func product(
        _ binder: Binder, _ defines: KeyValuePairs<String, Int?>, a: MatrixProduct.Matrix, panels: Buffer,
        c: MatrixProduct.Matrix, m: Int, n: Int, k: Int, depth: Int? = nil
    ) throws(OpenCLError) -> Command {
        let panelCount = n.dividedRoundingUp(by: Self.panel)
        let blockRows = Tuning.rows(m, outputs: n, rowBytes: 4 * min(k, depth ?? k))
        // Without a bias its argument is unread; C is its own residual where it is added to.
        return try binder.launch(
            KernelVariant(.matmulPanels, defines, and: ["DEPTH": depth]),
            global: SIMD3(panelCount, m.dividedRoundingUp(by: blockRows), 1), local: SIMD3(1, 1, 1),
            a.arguments + [.buffer(panels), .buffer(c.buffer)] + c.arguments + c.arguments
                + [.int(m), .int(n), .int(k), .int(blockRows)])
    }

    /// The transpose of a matrix in panels: 32 of its columns side by side, as deep as it has rows.
    private func pack(
        _ binder: Binder, _ source: MatrixProduct.Matrix, columns: Int, into panels: Buffer
    ) throws(OpenCLError) -> Command {
        try binder.launch(
            KernelVariant(.packPanels), global: SIMD3(rows, columns.dividedRoundingUp(by: Self.panel), 1),
            [
                .buffer(source.buffer), .int(source.offset), .int(1), .int(source.stride), .buffer(panels),
                .int(columns), .int(rows),
            ])
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
