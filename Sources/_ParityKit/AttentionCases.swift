import ComputeCore
import ReferenceBackend

extension ParityCase {
    /// A score is a sum of d products of rotated factors, so its error grows with Σ|q·k|/√d, and a weight's relative
    /// error is the score's absolute one: 8 units of (1 + max Σ|q·k|/√d) · Σ p·|v|. With bfloat16 a kernel may round the
    /// weights too, and the last bit of a rotated q or k decides how it is rounded: 2¹⁶ units, two roundings to 8 bits.
    static let attention: [ParityCase] = [
        (1, 1, 1, 2), (1, 8, 2, 8), (2, 9, 5, 8), (3, 33, 4, 16), (1, 65, 2, 64), (1, 127, 3, 34), (2, 128, 2, 32),
        (1, 515, 1, 64), (1, 600, 2, 128), (1, 1, 1, 32), (2, 9, 3, 96),
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
        let tolerance: Double = precision == .bfloat16 ? 0x1p16 : 8
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
            let spread = scoreSpread(qkv, rows: batch * length, heads: heads, width: width)
            let magnitudes = try instance(absolute).run(on: ReferenceBackend()).outputs
            var result = try instance(qkv)
            result.magnitudes["output"] = try magnitudes["output"]?.floats().map { Double($0) * (1 + spread) }
            result.magnitudes["logSumExp"] = try magnitudes["logSumExp"]?.floats().map { abs(Double($0)) + 1 + spread }
            return result
        }
    }

    /// The largest ‖q‖·‖k‖/√d, which no Σ|q·k|/√d exceeds; rotation leaves the norms.
    private static func scoreSpread(_ qkv: [Float], rows: Int, heads: Int, width: Int) -> Double {
        func largestNorm(_ part: Int) -> Double {
            (0..<rows * heads).reduce(0) { largest, index in
                let start = (index / heads * 3 + part) * heads * width + index % heads * width
                let squares = qkv[start..<start + width].reduce(0) { $0 + Double($1) * Double($1) }
                return max(largest, squares.squareRoot())
            }
        }
        return largestNorm(0) * largestNorm(1) / Double(width).squareRoot()
    }
}
