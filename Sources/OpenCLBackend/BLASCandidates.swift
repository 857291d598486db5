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

// MARK: - What a file may hold

extension BLASCandidates {
    /// The values that each parameter of `Xgemm` may have. The tiles are no larger than those of CLBlast's own tuner, so that
    /// what a work-group keeps in registers stays in bounds; GEMMK and KREG belong to another kernel, which is not tried.
    private static let allowed: [String: [Int]] = {
        let sizes = [1, 2, 4, 8, 16, 32, 64, 128]
        let tiles = ["KWG", "KWI", "MDIMA", "MDIMC", "MWG", "NDIMB", "NDIMC", "NWG"].map { ($0, sizes) }
        let vectors = ["VWM", "VWN"].map { ($0, [1, 2, 4, 8, 16]) }
        let switches = ["SA", "SB", "STRM", "STRN"].map { ($0, [0, 1]) }
        return Dictionary(uniqueKeysWithValues: tiles + vectors + switches + [("GEMMK", [0]), ("KREG", [1])])
    }()

    /// Up to this size, cubed, a product goes through CLBlast's other kernel.
    private static let allowedRoutine = ["XGEMM_MIN_INDIRECT_SIZE": 0...1 << 16]

    /// What is wrong with parameters that someone wrote; nil if CLBlast can compile and run its kernels with them. It does not
    /// check them itself: a driver's compiler divides by a zero among them.
    static func flaw(of parameters: [String: [String: Int]]) -> String? {
        for (kernel, values) in parameters.sorted(by: { $0.key < $1.key }) {
            let reason =
                switch kernel {
                case "Xgemm": flaw(ofXgemm: values)
                case "GemmRoutine": flaw(of: values, allowed: allowedRoutine)
                default: "no kernel of this name is tuned"
                }
            if let reason { return "clblast \(kernel): \(reason)" }
        }
        return nil
    }

    /// The most products that a work-item of `Xgemm` unrolls: PoCL compiles the kernel with so many for some ten seconds, and
    /// with 128 times as many it does not end.
    private static let mostUnrolled = 2048

    /// The divisions are those of CLBlast's `xgemm_part1.opencl`, and of its tuner's constraints.
    private static func flaw(ofXgemm values: [String: Int]) -> String? {
        if let flaw = flaw(of: values, allowed: allowed) { return flaw }
        let rules: [(whole: [String], parts: [String])] = [
            (["KWG"], ["KWI"]), (["MWG"], ["MDIMC", "VWM"]), (["NWG"], ["NDIMC", "VWN"]), (["MWG"], ["MDIMA", "VWM"]),
            (["NWG"], ["NDIMB", "VWN"]), (["MDIMC", "NDIMC"], ["MDIMA"]), (["MDIMC", "NDIMC"], ["NDIMB"]),
            (["KWG", "MDIMA"], ["MDIMC", "NDIMC"]), (["KWG", "NDIMB"], ["MDIMC", "NDIMC"]),
        ]
        func product(_ names: [String]) -> Int { names.reduce(1) { $0 * (values[$1] ?? 1) } }
        if let broken = rules.first(where: { !product($0.whole).isMultiple(of: product($0.parts)) }) {
            let (whole, parts) = (broken.whole.joined(separator: " · "), broken.parts.joined(separator: " · "))
            return "\(whole) is no multiple of \(parts)"
        }
        let unrolled = product(["KWI", "MWG", "NWG"]) / product(["MDIMC", "NDIMC"])
        return unrolled <= mostUnrolled
            ? nil : "KWI · MWG · NWG is more than \(mostUnrolled) times MDIMC · NDIMC"
    }

    private static func flaw(of values: [String: Int], allowed: [String: some Collection<Int>]) -> String? {
        for (name, value) in values.sorted(by: { $0.key < $1.key }) where allowed[name]?.contains(value) != true {
            return "\(name) \(value)"
        }
        return allowed.keys.sorted().first { values[$0] == nil }.map { "no \($0)" }
    }
}
