import Foundation
import OpenCLRuntime
import Testing

extension OnDevice {
    /// What `bfloat16.clh` promises of its rounding, by integer arithmetic and by the processor's instructions.
    @Suite struct BFloat16Rounding {
        /// Ties, both sides of them, the ends of every range, and numbers of every size.
        private static let arguments: [Float] = {
            let patterns: [UInt32] = [
                0x0000_0000, 0x0000_0001, 0x007F_8000, 0x007F_FFFF, 0x0080_0000, 0x0080_8000, 0x3F80_0000, 0x3F80_7FFF,
                0x3F80_8000, 0x3F80_8001, 0x3F81_7FFF, 0x3F81_8000, 0x3F81_8001, 0x7F7F_7FFF, 0x7F7F_8000, 0x7F7F_FFFF,
            ]
            let drawn = (0..<974).map { UInt32(truncatingIfNeeded: $0 &* 2_654_435_761 &+ 12345) }
            let special: [UInt32] = [0x7F80_0000, 0xFF80_0000]
            let all = patterns + patterns.map { $0 | 0x8000_0000 } + special + drawn
            return all.map(Float.init(bitPattern:)).map { $0.isNaN ? 1 : $0 } + [Float](repeating: .nan, count: 8)
                + [Float](repeating: signalling, count: 8)
        }()
        private static let signalling = Float(bitPattern: 0x7F80_0001)

        @Test func arithmeticRoundsToNearestEven() throws { try checkRounding(byInstructions: false) }

        @Test(.needsBFloat16Instructions) func instructionsRoundToNearestEven() throws {
            try checkRounding(byInstructions: true)
        }

        private func checkRounding(byInstructions: Bool) throws {
            let x = Self.arguments
            let (halves, pairs, wide) = try round(x, byInstructions: byInstructions)
            #expect(zip(wide, halves).allSatisfy { $0.bitPattern == UInt32($1) << 16 })
            for block in stride(from: 0, to: x.count, by: 32) {
                for lane in 0..<16 {
                    let (first, second) = (block + lane, block + 16 + lane)
                    let pair = pairs[block / 2 + lane]
                    for (half, index) in [
                        (halves[first], first), (halves[second], second), (UInt16(pair & 0xFFFF), first),
                        (UInt16(pair >> 16), second),
                    ] {
                        guard let expected = nearest(x[index]) else {
                            #expect(half & 0x7FFF > 0x7F80 && half & 0x40 != 0, "a quiet NaN")
                            continue
                        }
                        #expect(half == expected, "\(x[index]), \(x[index].bitPattern)")
                    }
                }
            }
        }

        /// By distance, of the two that enclose |x|, an infinity being 2^128; nil for NaN.
        private func nearest(_ x: Float) -> UInt16? {
            if x.isNaN { return nil }
            let sign: UInt16 = x.sign == .minus ? 0x8000 : 0
            if x.isSubnormal || x.isInfinite { return x.isInfinite ? sign | 0x7F80 : sign }
            let below = UInt16(x.magnitude.bitPattern >> 16)
            func value(_ half: UInt16) -> Double {
                half == 0x7F80 ? exp2(128) : Double(Float(bitPattern: UInt32(half) << 16))
            }
            let (down, up) = (Double(x.magnitude) - value(below), value(below + 1) - Double(x.magnitude))
            return sign | (down < up || (down == up && below.isMultiple(of: 2)) ? below : below + 1)
        }

        private func round(_ x: [Float], byInstructions: Bool) throws -> (
            halves: [UInt16], pairs: [UInt32], wide: [Float]
        ) {
            let headers = try OnDevice.headers("prelude.clh", "lanes.clh", "bfloat16.clh")
            let kernel = Specialisation.Source(
                fileName: "round.cl",
                text: """
                    kernel void round_all(global const float *x, global ushort *halves, global uint *pairs, global float *wide) {
                        const int at = get_global_id(0) * 32;
                        const float16 first = vload16(0, x + at), second = vload16(1, x + at);
                        vstore16(bfloat16_halves(first), 0, halves + at);
                        vstore16(bfloat16_halves(second), 1, halves + at);
                        vstore16(bfloat16_pairs(first, second), 0, pairs + at / 2);
                        vstore16(widened(first), 0, wide + at);
                        vstore16(widened(second), 1, wide + at);
                    }
                    """)
            let context = try OnDevice.context()
            let defines: [Specialisation.Define] = byInstructions ? [.init("BFLOAT16", 1)] : []
            let round = try context.program(Specialisation(sources: headers + [kernel], defines: defines))
                .kernel("round_all")
            let source = try context.makeBuffer(bytes: 4 * x.count)
            let halves = try context.makeBuffer(bytes: 2 * x.count)
            let pairs = try context.makeBuffer(bytes: 2 * x.count)
            let wide = try context.makeBuffer(bytes: 4 * x.count)
            try source.write(x)
            try round.bind([.buffer(source), .buffer(halves), .buffer(pairs), .buffer(wide)])
            try context.enqueue(round, global: SIMD3(x.count / 32, 1, 1), local: SIMD3(1, 1, 1))
            return (
                try halves.read(UInt16.self, count: x.count), try pairs.read(UInt32.self, count: x.count / 2),
                try wide.read(Float.self, count: x.count)
            )
        }
    }
}
