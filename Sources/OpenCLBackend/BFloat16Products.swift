public import OpenCLRuntime

/// How the vector path multiplies factors of bfloat16. Products are exact and sums float32 in each; they differ in the order of
/// the sums and, in attention, in whether the weights exp(score - peak) are rounded (``widened`` does not).
public enum BFloat16Products: Hashable, Sendable {
    /// In the processor's matrix tiles (AMX), 32 terms at a time; products of another depth as ``pairs``.
    ///
    /// Asking whether a device has them gives the tiles' registers to the whole process for good.
    case amx
    /// By the instruction of AVX512-BF16, which adds the products of two pairs.
    case pairs
    /// Widened: the factors lie in memory as float32 that hold bfloat16 values, and the kernels of float32 multiply them.
    case widened

    /// Those that a device has, the fastest first.
    ///
    /// An instruction for pairs that is slower than two of float32's comes last.
    public static func available(on device: Device) -> [BFloat16Products] {
        let pairs: [BFloat16Products] = device.hasFastBFloat16Products ? [.pairs, .widened] : [.widened, .pairs]
        return ([.amx] + pairs).filter { $0.isAvailable(on: device) }
    }

    /// Whether a device has it. The kernels of the matrix tiles round by AVX512-BF16's instructions.
    func isAvailable(on device: Device) -> Bool {
        switch self {
        case .amx: device.hasBFloat16Products && device.hasAMX
        case .pairs: device.hasBFloat16Products
        case .widened: true
        }
    }

    /// What it adds to the name of a kernel path: the instructions that it takes.
    var pathSuffix: String {
        switch self {
        case .amx: " with AMX"
        case .pairs: " with AVX512-BF16"
        case .widened: ""
        }
    }
}
