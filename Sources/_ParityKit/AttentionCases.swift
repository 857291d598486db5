import ComputeCore
import ReferenceBackend

extension ParityCase {
    /// A score is a sum of d products of rotated factors, so its error grows with Σ|q·k|/√d, and a weight's relative
    /// error is the score's absolute one: 4 units of (1 + max Σ|q·k|/√d) · Σ p·|v|, the maximum over a query's keys. With
    /// bfloat16 a kernel may round the weights too, and the last bit of a rotated q or k decides how it is rounded: 2¹⁴ units, a
    /// quarter of two roundings to 8 bits.
    static let attention: [ParityCase] = [
        (1, 1, 1, 2), (1, 8, 2, 8), (2, 9, 5, 8), (3, 33, 4, 16), (1, 65, 2, 64), (1, 127, 3, 34), (2, 128, 2, 32),
        (1, 515, 1, 64), (1, 600, 2, 128), (1, 1, 1, 32), (1, 1, 1, 96), (2, 9, 3, 96),
    ].flatMap { batch, length, heads, width in
        [(false, Precision.float32), (true, .float32), (true, .bfloat16)].map { saves, precision in
            attention(
                batch: batch, length: length, heads: heads, width: width, precision: precision, savesLogSum: saves)
        }
    }

    static func attention(
        batch: Int, length: Int, heads: Int, width: Int, precision: Precision, savesLogSum: Bool
    ) -> ParityCase {
        let sizes =
            "B=\(batch) S=\(length) H=\(heads) d=\(width)" + (savesLogSum ? " lse" : "")
            + (precision == .bfloat16 ? " bf16" : "")
        let tolerance: Double = precision == .bfloat16 ? 0x1p14 : 4
        return ParityCase("attention", sizes, precision: precision, tolerance: tolerance) { seeded in
            var values = seeded
            let features = heads * width
            let qkv = values.normal(batch * length * 3 * features, spread: 1, outlier: 3)
            func instance(_ qkv: [Float]) throws -> ParityInstance {
                var instance = ParityInstance()
                let output = instance.output("output", [batch, length, features])
                try instance.plan.append(
                    Attention(
                        projections: instance.input("projections", [batch, length, 3 * features], qkv),
                        headCount: heads, rotaryBase: 10000, precision: precision, output: output,
                        logSumExp: savesLogSum ? instance.output("logSumExp", [batch, heads, length]) : nil))
                return instance
            }
            // The same weights over absolute values.
            let absolute = qkv.enumerated().map { index, value in
                index % (3 * features) < 2 * features ? value : abs(value)
            }
            let spreads = scoreSpreads(qkv, batch: batch, length: length, heads: heads, width: width)
            let magnitudes = try instance(absolute).run(on: ReferenceBackend()).outputs
            var result = try instance(qkv)
            result.magnitudes["output"] = try magnitudes["output"]?.floats().enumerated().map { index, value in
                let (row, head) = (index / features, index % features / width)
                return Double(value) * (1 + spreads[(row / length * heads + head) * length + row % length])
            }
            result.magnitudes["logSumExp"] = try magnitudes["logSumExp"]?.floats().enumerated().map { index, value in
                abs(Double(value)) + 1 + spreads[index]
            }
            return result
        }
    }

    /// For each query [B, H, S] its ‖q‖ · max ‖k‖/√d, which no Σ|q·k|/√d of it exceeds; rotation leaves the norms.
    private static func scoreSpreads(_ qkv: [Float], batch: Int, length: Int, heads: Int, width: Int) -> [Double] {
        func norm(_ part: Int, sample: Int, head: Int, position: Int) -> Double {
            let start = (((sample * length + position) * 3 + part) * heads + head) * width
            return qkv[start..<start + width].norm
        }
        return (0..<batch * heads).flatMap { plane in
            let (sample, head) = (plane / heads, plane % heads)
            let keys = (0..<length).map { norm(1, sample: sample, head: head, position: $0) }
            let largest = keys.reduce(0, max) / Double(width).squareRoot()
            return (0..<length).map { norm(0, sample: sample, head: head, position: $0) * largest }
        }
    }
}
