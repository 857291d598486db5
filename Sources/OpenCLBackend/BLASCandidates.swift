/// Parameters of CLBlast's matrix product that ``Tuner`` tries beside CLBlast's own.
///
/// CLBlast's databases hold hardly any CPU device and miss many GPUs. The names are those of its kernel `Xgemm`: tiles of
/// MWG × NWG by groups of MDIMC × NDIMC, KWG deep; vectors VWM and VWN wide; SA and SB for local memory.
enum BLASCandidates {
    static let all: [(name: String, parameters: [String: [String: Int]])] =
        [
            xgemm("no local memory, 64 × 64 by 4 × 4", tile: 64, group: 4, depth: 32, width: 8, isLocal: false),
            xgemm("no local memory, 32 × 32 by 4 × 4", tile: 32, group: 4, depth: 32, width: 8, isLocal: false),
            xgemm("local memory, 64 × 64 by 16 × 16", tile: 64, group: 16, depth: 16, width: 4, isLocal: true),
            xgemm("local memory, 128 × 128 by 16 × 16", tile: 128, group: 16, depth: 16, width: 4, isLocal: true),
        ]

    private static func xgemm(
        _ name: String, tile: Int, group: Int, depth: Int, width: Int, isLocal: Bool
    ) -> (name: String, parameters: [String: [String: Int]]) {
        let local = isLocal ? 1 : 0
        return (
            name,
            [
                "Xgemm": [
                    "GEMMK": 0, "KREG": 1, "KWG": depth, "KWI": 2, "MDIMA": group, "MDIMC": group, "MWG": tile,
                    "NDIMB": group, "NDIMC": group, "NWG": tile, "SA": local, "SB": local, "STRM": 0, "STRN": 0,
                    "VWM": width, "VWN": width,
                ],
                // The tiled kernel for every size: the other one is not overridden.
                "GemmRoutine": ["XGEMM_MIN_INDIRECT_SIZE": 0],
            ]
        )
    }
}
