import ComputeCore
import OpenCLRuntime

/// The layout in which a parameter is resident, and the way there and back.
///
/// Matrices are [N, K], outputs by inputs. On the vector path they lie in panels of 32 outputs: panel p holds K rows of 32
/// columns, P[(p·K + k)·32 + j] = W[32p + j, k], zeros past N. With factors in pairs of bfloat16 a row holds the pairs
/// k = 2i, 2i + 1 of each column side by side, an odd K being filled with a zero; with widened ones it holds the rounded values
/// as floats. A convolution's kernel is first brought to a matrix: the strided one to [D, k₀·E], the transposed one to k₀
/// matrices [E, D], one per tap.
struct ParameterPacking {
    static let panelWidth = 32
    /// Each of several matrices starts where every device allows a sub-buffer to start.
    private static let matrixAlignment = 1024

    private enum Form {
        /// As declared.
        case declared
        /// Row after row.
        case rows
        /// Panels of float32.
        case panels
        /// Panels of float32 that hold bfloat16 values.
        case widened
        /// Panels of pairs of bfloat16.
        case pairs
    }

    private let shape: Shape
    private let form: Form
    private let matrices: Int
    private let rows: Int
    private let matrixStride: Int
    private let rowStride: Int
    /// Where, from the start of a declared row, each element of the matrix's row is.
    private let columns: [Int]

    init(_ layout: ParameterLayout, _ shape: Shape, path: KernelPath, pairs: Bool) {
        self.shape = shape
        let panels = path == .vector ? Form.panels : .rows
        switch layout {
        case .plain:
            (form, matrices, rows, matrixStride, rowStride, columns) = (.declared, 1, 1, 0, 0, [])
        case .matrix, .bfloat16Matrix:
            form = path != .vector ? .declared : layout == .matrix ? .panels : pairs ? .pairs : .widened
            (matrices, rows, matrixStride, rowStride) = (1, shape[0], 0, shape[1])
            columns = Array(0..<shape[1])
        case .stridedConvolution:
            let (channels, width) = (shape[1], shape[2])
            (form, matrices, rows, matrixStride, rowStride) = (panels, 1, shape[0], 0, channels * width)
            columns = (0..<channels * width).map { $0 % channels * width + $0 / channels }
        case .transposedConvolution:
            let (channels, width) = (shape[1], shape[2])
            (form, matrices, rows, matrixStride, rowStride) = (panels, width, channels, 1, width)
            columns = (0..<shape[0]).map { $0 * channels * width }
        }
    }

    /// Bytes of the resident form.
    var byteCount: Int { form == .pairs ? 2 * elementCount : 4 * elementCount }

    /// Elements of the resident form, padding included.
    private var elementCount: Int { form == .declared ? shape.elementCount : matrices * elementsPerMatrix }

    private var elementsPerMatrix: Int {
        let depth = columns.count.roundedUp(to: pairing)
        let count = (form == .rows ? rows : rows.roundedUp(to: Self.panelWidth)) * depth
        return matrices > 1 ? count.roundedUp(to: Self.matrixAlignment) : count
    }

    /// Neighbours along a row that lie side by side in a panel.
    private var pairing: Int { form == .pairs ? 2 : 1 }

    /// Writes values in their declared, row-major order into the resident buffer.
    ///
    /// - Throws: ``OpenCLError``.
    func write(_ values: [Float], to buffer: Buffer) throws(OpenCLError) {
        guard values.count == shape.elementCount else {
            throw .invalidArgument(
                name: "parameter", expected: "\(shape.elementCount) values of \(shape)", got: "\(values.count)")
        }
        switch form {
        case .declared: try buffer.write(values)
        case .rows, .panels: try buffer.write(resident(values) { $0 })
        case .widened: try buffer.write(resident(values) { Float(bfloat16Bits: $0.bfloat16Bits) })
        case .pairs: try buffer.write(resident(values) { $0.bfloat16Bits })
        }
    }

    /// The resident form of declared values, as many as the shape holds, converted.
    @inline(__always)
    private func resident<Element: BitwiseCopyable & ExpressibleByIntegerLiteral>(
        _ values: [Float], _ convert: (Float) -> Element
    ) -> [Element] {
        [Element](unsafeUninitializedCapacity: elementCount) { target, count in
            count = elementCount
            target.initialize(repeating: 0)
            values.withUnsafeBufferPointer { values in
                forEachElement { target[$0] = convert(values[$1]) }
            }
        }
    }

    /// The values of the resident buffer in their declared, row-major order.
    ///
    /// - Throws: ``OpenCLError``.
    func read(_ buffer: Buffer) throws(OpenCLError) -> [Float] {
        if form == .declared { return try buffer.read(Float.self, count: elementCount) }
        var values = [Float](repeating: 0, count: shape.elementCount)
        if form == .pairs {
            let resident = try buffer.read(UInt16.self, count: elementCount)
            forEachElement { values[$1] = Float(bfloat16Bits: resident[$0]) }
        } else {
            let resident = try buffer.read(Float.self, count: elementCount)
            forEachElement { values[$1] = resident[$0] }
        }
        return values
    }

    /// Calls `body` with the resident and the declared place of every element.
    @inline(__always)
    private func forEachElement(_ body: (_ resident: Int, _ declared: Int) -> Void) {
        let depth = columns.count.roundedUp(to: pairing)
        let width = form == .rows ? 1 : Self.panelWidth
        for matrix in 0..<matrices {
            for panel in stride(from: 0, to: rows, by: width) {
                let start = matrix * elementsPerMatrix + panel * depth
                let declared = matrix * matrixStride + panel * rowStride
                let count = min(width, rows - panel)
                for (k, column) in columns.enumerated() {
                    let row = start + k / pairing * pairing * width + k % pairing
                    for j in 0..<count { body(row + j * pairing, declared + j * rowStride + column) }
                }
            }
        }
    }
}

extension Float {
    /// The bits of the nearest bfloat16, as `bfloat16.clh` has it.
    fileprivate var bfloat16Bits: UInt16 {
        if isNaN { return 0x7FC0 }
        if isSubnormal { return sign == .minus ? 0x8000 : 0 }
        return UInt16(truncatingIfNeeded: (bitPattern &+ 0x7FFF &+ ((bitPattern >> 16) & 1)) >> 16)
    }
}
