import ComputeCore

/// The part of C that a work-item of the vector path's matrix product holds at a time; it owns a block of such tiles, one
/// below the other.
enum ProductTile: CaseIterable {
    /// In float16 registers; see `matmul_panels.cl`.
    case registers
    /// In the processor's matrix tiles; see `matmul_amx.cl`.
    case amx

    /// The kernel that computes it.
    var kernel: KernelFile {
        switch self {
        case .registers: .matmulPanels
        case .amx: .matmulAMX
        }
    }

    /// Rows of C.
    var rows: Int {
        switch self {
        case .registers: 6
        case .amx: 32
        }
    }

    /// Panels of the weight side by side.
    var panels: Int {
        switch self {
        case .registers: 2
        case .amx: 1
        }
    }

    /// Columns of C.
    var columns: Int { panels * ParameterPacking.panelWidth }

    /// Whether a sum of so many terms ends before what the kernel asks for ahead has come, so that it had better not ask.
    func isShallow(_ depth: Int) -> Bool { self == .registers && depth < 256 }

    /// The heights of a block that are tried.
    var blockRows: [Int] { [1, 2, 4, 8, 16, 32].map { $0 * rows }.filter { $0 <= 256 } }

    /// The height of a block where none was measured.
    ///
    /// Tall blocks keep their panels in cache, but the panels that follow want the block's rows there too, and every core
    /// wants some blocks.
    func blockRows(_ count: Int, outputs: Int, rowBytes: Int) -> Int {
        let most = mostRows(rowBytes: rowBytes)
        let sideBySide = outputs.dividedRoundingUp(by: columns)
        return blockRows.last { $0 <= most && count.dividedRoundingUp(by: $0) * sideBySide >= 64 } ?? rows
    }

    /// The matrix tiles want half a megabyte of rows. The register tile walks along its rows, which lie in a page each or
    /// two: past some thirty pages the processor prefetches no more.
    private func mostRows(rowBytes: Int) -> Int {
        switch self {
        case .registers: 48
        case .amx: (512 << 10) / rowBytes
        }
    }
}
