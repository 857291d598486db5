import ComputeCore

/// The part of C that a work-item of the vector path's matrix product holds at a time; it owns a block of such tiles, one
/// below the other.
struct ProductTile: Equatable {
    /// Rows of C.
    let rows: Int
    /// Panels of the weight side by side.
    let panels: Int

    /// In float16 registers; see `matmul_panels.cl`.
    static let registers = ProductTile(rows: 6, panels: 2)
    /// In the matrix tiles; see `matmul_amx.cl`.
    static let amx = ProductTile(rows: 32, panels: 1)

    /// The kernel that computes it.
    var kernel: KernelFile { self == .amx ? .matmulAMX : .matmulPanels }

    /// Columns of C.
    var columns: Int { panels * ParameterPacking.panelWidth }

    /// The heights of a block that are tried.
    var blockRows: [Int] { [1, 2, 4, 8, 16, 32].map { $0 * rows }.filter { $0 <= 256 } }

    /// The height of a block where none was measured.
    ///
    /// Tall blocks keep their panels in cache, but the panels that follow want the block's rows there too, and every core
    /// wants some blocks. The matrix tiles want half a megabyte of rows. The register tile walks along its rows, which lie
    /// in a page each or two: past some thirty pages the processor prefetches no more, so 48 rows.
    func blockRows(_ count: Int, outputs: Int, rowBytes: Int) -> Int {
        let sideBySide = outputs.dividedRoundingUp(by: columns)
        return blockRows.last {
            (self == .amx ? $0 * rowBytes <= 512 << 10 : $0 <= 48)
                && count.dividedRoundingUp(by: $0) * sideBySide >= 64
        } ?? rows
    }
}
