import ComputeCore
import OpenCLRuntime

/// target += the sum of a matrix's rows: how gradients of biases, and partial sums of work-groups, come together.
///
/// A tall matrix is summed in two levels, parts of about √rows each and then the parts, in an order that depends on its
/// size alone.
struct RowSum {
    let rows: Int
    let columns: Int

    private var rowsPerPart: Int {
        rows <= 64 ? rows : Int(Double(rows).squareRoot().rounded(.up))
    }
    private var parts: Int { rows.dividedRoundingUp(by: rowsPerPart) }

    /// The scratch memory that the sum needs.
    var scratchBytes: [Int] { parts > 1 ? [4 * parts * columns] : [] }

    /// The launches; `scratch` is what ``scratchBytes`` asks for.
    func commands(
        _ source: MatrixProduct.Matrix, into target: Buffer, scratch: ArraySlice<Buffer>, _ binder: Binder
    ) throws(OpenCLError) -> [Command] {
        guard let partial = scratch.first else {
            return [try level(binder, rows: rows, rowsPerPart: rows, isLast: true, source, target)]
        }
        return [
            try level(binder, rows: rows, rowsPerPart: rowsPerPart, isLast: false, source, partial),
            try level(
                binder, rows: parts, rowsPerPart: parts, isLast: true,
                MatrixProduct.Matrix(buffer: partial, offset: 0, stride: columns), target),
        ]
    }

    private func level(
        _ binder: Binder, rows: Int, rowsPerPart: Int, isLast: Bool, _ source: MatrixProduct.Matrix, _ target: Buffer
    ) throws(OpenCLError) -> Command {
        let lanes = binder.path.lanes
        let sizes: [KernelArgument] = [.int(rows), .int(columns), .int(rowsPerPart), .int(isLast ? 1 : 0)]
        return try binder.launch(
            KernelVariant(.sumRows, ["LANES": lanes]),
            global: SIMD3(columns.dividedRoundingUp(by: lanes), rows.dividedRoundingUp(by: rowsPerPart), 1),
            sizes + source.arguments + [.buffer(target)])
    }
}
