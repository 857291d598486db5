import ComputeCore

/// The layout in which a parameter is resident, and the way there and back.
///
/// Matrices are [N, K], outputs by inputs. On the vector path they lie in panels of 32 outputs: panel p holds K rows of 32
/// columns, P[(p·K + k)·32 + j] = W[32p + j, k], zeros past N. A convolution's kernel is first brought to a matrix:
/// the strided one to [D, k₀·E], the transposed one to k₀ matrices [E, D], one per tap.
struct ParameterPacking {
    private let shape: Shape
    private let layout: ParameterLayout
    private let usesPanels: Bool

    static let panelWidth = 32
    /// Each of several matrices starts where every device allows a sub-buffer to start.
    private static let matrixAlignment = 1024

    init(_ layout: ParameterLayout, _ shape: Shape, path: KernelPath) {
        self.layout = layout
        self.shape = shape
        usesPanels = path == .vector && layout != .plain
    }

    /// Elements of the resident form.
    var elementCount: Int { matrixShape.matrices * elementsPerMatrix }

    private var elementsPerMatrix: Int {
        let (matrices, n, k) = matrixShape
        let count = (usesPanels ? n.roundedUp(to: Self.panelWidth) : n) * k
        return matrices > 1 ? count.roundedUp(to: Self.matrixAlignment) : count
    }

    /// From the declared, row-major form to the resident one.
    func pack(_ values: [Float]) -> [Float] {
        isIdentity ? values : sources.map { $0 < 0 ? 0 : values[$0] }
    }

    /// From the resident form to the declared one.
    func unpack(_ values: [Float]) -> [Float] {
        if isIdentity { return values }
        var result = [Float](repeating: 0, count: shape.elementCount)
        for (index, source) in sources.enumerated() where source >= 0 { result[source] = values[index] }
        return result
    }

    private var isIdentity: Bool { layout == .plain || (layout == .matrix && !usesPanels) }

    /// Matrices, and the rows and columns of each.
    private var matrixShape: (matrices: Int, n: Int, k: Int) {
        switch layout {
        case .plain: (1, 1, shape.elementCount)
        case .matrix: (1, shape[0], shape[1])
        case .stridedConvolution: (1, shape[0], shape[1] * shape[2])
        case .transposedConvolution: (shape[2], shape[1], shape[0])
        }
    }

    /// Where in the declared form element (n, k) of a matrix is.
    private func declaredIndex(matrix: Int, n: Int, k: Int) -> Int {
        switch layout {
        case .plain: k
        case .matrix: n * shape[1] + k
        case .stridedConvolution: (n * shape[1] + k % shape[1]) * shape[2] + k / shape[1]
        case .transposedConvolution: (k * shape[1] + n) * shape[2] + matrix
        }
    }

    /// For each resident element its place in the declared form, -1 for padding.
    private var sources: [Int] {
        let (matrices, n, k) = matrixShape
        var sources: [Int] = []
        sources.reserveCapacity(elementCount)
        for matrix in 0..<matrices {
            if usesPanels {
                for panel in stride(from: 0, to: n, by: Self.panelWidth) {
                    for row in 0..<k {
                        for column in panel..<panel + Self.panelWidth {
                            sources.append(column < n ? declaredIndex(matrix: matrix, n: column, k: row) : -1)
                        }
                    }
                }
            } else {
                for row in 0..<n {
                    for column in 0..<k { sources.append(declaredIndex(matrix: matrix, n: row, k: column)) }
                }
            }
            let padding = (matrix + 1) * elementsPerMatrix - sources.count
            sources.append(contentsOf: repeatElement(-1, count: padding))
        }
        return sources
    }
}
