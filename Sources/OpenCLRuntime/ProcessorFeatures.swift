import CProcessor
import Foundation

extension Device {
    /// Whether kernels may hold AVX512-BF16 instructions, rounding to bfloat16 and products of pairs summed in float32, and
    /// the permutation of halves (AVX512-BW) that makes pairs.
    ///
    /// OpenCL has no query for it. PoCL runs kernels on the processor of this process and for exactly that processor, so
    /// the kernel's list of its features decides; on other platforms and systems the answer is no.
    public var hasBFloat16Products: Bool {
        runsHere(with: ["avx512f", "avx512bw", "avx512_bf16"])
    }

    /// Whether the instruction for pairs multiplies more terms a second than that of float32.
    ///
    /// On AMD's processors it does (Zen 5). On Intel's it does half as many, for they have the matrix tiles instead, which a
    /// virtual machine may hide: 0.74 ns for 32 terms beside 0.18 ns for 16 (Emerald Rapids, in registers).
    package var hasFastBFloat16Products: Bool {
        hasBFloat16Products && Processor.vendor != "GenuineIntel"
    }

    /// Whether kernels may hold AMX instructions: products of blocks of bfloat16, summed in float32.
    ///
    /// Linux gives the matrix tiles' registers to a process that asks for them; the first use of this does, for good.
    public var hasAMX: Bool {
        runsHere(with: ["avx512f", "amx_tile", "amx_bf16"]) && Processor.permitsAMX
    }

    private func runsHere(with features: Set<Substring>) -> Bool {
        kind == .cpu && isPoCL && Processor.features.isSuperset(of: features)
    }
}

private enum Processor {
    static let features = Set(words(of: "flags"))
    static let vendor = words(of: "vendor_id").first

    /// Linux's `/proc/cpuinfo`, read once, for the kernel asks every processor for its part; empty elsewhere.
    private static let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""

    /// The words of a field of the first processor.
    private static func words(of field: String) -> [Substring] {
        guard let line = information.split(separator: "\n").first(where: { $0.hasPrefix(field) }),
            let colon = line.firstIndex(of: ":")
        else { return [] }
        return line[line.index(after: colon)...].split(separator: " ")
    }

    static let permitsAMX = cprocessor_request_amx()
}
