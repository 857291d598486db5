public import OpenCLRuntime

/// How the vector path multiplies factors of bfloat16: always exact products and float32 sums, which differ in their order.
public enum BFloat16Products: String, Hashable, Sendable, CaseIterable {
    /// In the processor's matrix tiles (AMX), 32 terms at a time; products of another depth as ``pairs``.
    case amx
    /// By the instruction of AVX512-BF16, which adds the products of two pairs.
    case pairs
    /// Widened: the factors lie in memory as float32 that hold bfloat16 values, and the kernels of float32 multiply them.
    case widened

    /// Those that a device has, the fastest first; none on other devices than CPUs.
    ///
    /// Asking for the matrix tiles, which this does where the processor has them, gives them to the whole process for good.
    /// An instruction for pairs that is slower than two of float32's comes last.
    public static func available(on device: Device) -> [BFloat16Products] {
        guard device.kind == .cpu else { return [] }
        let tiles: [BFloat16Products] = device.hasAMX ? [.amx] : []
        guard device.hasBFloat16Products else { return tiles + [.widened] }
        return tiles + (device.hasFastBFloat16Products ? [.pairs, .widened] : [.widened, .pairs])
    }

    /// What it adds to the name of a kernel path.
    var pathSuffix: String {
        switch self {
        case .amx: " with AMX"
        case .pairs: ""
        case .widened: " with widened bfloat16"
        }
    }
}
