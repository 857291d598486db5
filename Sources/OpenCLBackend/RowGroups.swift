import OpenCLRuntime

/// How kernels whose work-groups own whole rows share them out: on the vector path one work-item with lanes and some rows,
/// so that its launch costs little beside them; on the group path work-items side by side on a row.
struct RowGroups {
    private let rows: Int
    private let group: Int
    private let rowsPerGroup: Int
    private let lanes: Int

    /// The work-groups of `rows` rows.
    init(_ rows: Int, vectorRows: Int, for binder: Binder) {
        self.rows = rows
        lanes = binder.path.lanes
        (group, rowsPerGroup) =
            switch binder.path {
            case .vector: (1, vectorRows)
            case .group: (binder.group(atMost: 64), 1)
            case .simple: (1, 1)
            }
    }

    /// The kernel with these groups; `defines` are its others.
    func variant(_ file: KernelFile, _ defines: KeyValuePairs<String, Int?> = [:]) -> KernelVariant {
        KernelVariant(file, ["LANES": lanes, "GROUP": group, "ROWS": rowsPerGroup], and: defines)
    }

    var global: SIMD3<Int> { SIMD3(rows.dividedRoundingUp(by: rowsPerGroup) * group, 1, 1) }
    var local: SIMD3<Int> { SIMD3(group, 1, 1) }
}
