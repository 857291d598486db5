import ComputeCore
import ReferenceBackend

extension ParityCase {
    /// A probability's relative error is its score's absolute one, as in ``attention``: 4 units of (1 + max ‖q‖·‖k‖/√d)
    /// times what the terms add up to.
    static let attentionBackward: [ParityCase] =
        [
            (1, 1, 1, 2), (1, 8, 2, 8), (2, 9, 5, 8), (3, 33, 4, 16), (1, 65, 2, 64), (1, 127, 3, 34), (2, 128, 2, 32),
            (1, 300, 2, 128), (1, 515, 1, 64), (1, 600, 2, 96),
            // Rows of one more than a group or a block of `attention_backward_tiles`, and widths that no tile divides.
            (1, 1, 3, 128), (2, 33, 2, 6), (1, 33, 2, 80), (2, 65, 3, 2), (2, 65, 1, 128), (2, 100, 3, 64),
            (1, 100, 2, 80),
        ]
        .map { attentionBackward(batch: $0, length: $1, heads: $2, width: $3) }
        // So far below 0 that the exponential of 0 in their place is infinite.
        + [attentionBackward(batch: 1, length: 33, heads: 2, width: 16, scoresAreLow: true)]

    static func attentionBackward(
        batch: Int, length: Int, heads: Int, width: Int, scoresAreLow: Bool = false
    ) -> ParityCase {
        let sizes = "B=\(batch) S=\(length) H=\(heads) d=\(width)" + (scoresAreLow ? " scores about -200" : "")
        // One product outweighs the others of a score, which are rounded as it is.
        return ParityCase("attention_backward", sizes, tolerance: scoresAreLow ? 16 : 4) { seeded in
            var values = seeded
            let features = heads * width
            var qkv = values.normal(3 * batch * length * features, outlier: 3)
            // The pair of elements that turns slowest keeps its product over all positions.
            let root = Float((200 * Double(width).squareRoot()).squareRoot())
            for row in 0..<batch * length * heads where scoresAreLow {
                let query = row / heads * 3 * features + row % heads * width + width / 2 - 1
                (qkv[query], qkv[query + features]) = (root, -root)
            }
            let slopes = AttentionSlopes(
                batch: batch, length: length, heads: heads, width: width, qkv: qkv,
                dy: values.normal(batch * length * features))
            var instance = try slopes.instance(slopes.dy)
            instance.magnitudes["projectionsGradient"] = try slopes.magnitudes()
            return instance
        }
    }
}

private struct AttentionSlopes {
    let batch: Int
    let length: Int
    let heads: Int
    let width: Int
    let qkv: [Float]
    let dy: [Float]

    private var features: Int { heads * width }

    /// The layer, which leaves its output and log-sum-exp, and its backward pass from `dy`.
    func instance(_ dy: [Float]) throws -> ParityInstance {
        var instance = ParityInstance()
        let output = instance.plan.intermediate([batch, length, features])
        let attention = Attention(
            projections: try instance.input("projections", [batch, length, 3 * features], qkv), headCount: heads,
            rotaryBase: 10000, output: output, logSumExp: instance.plan.intermediate([batch, heads, length]))
        try instance.plan.append(attention)
        try instance.plan.append(
            AttentionBackward(
                forward: attention, outputGradient: instance.input("outputGradient", output.shape, dy),
                projectionsGradient: instance.output("projectionsGradient", [batch, length, 3 * features])))
        return instance
    }

    /// For dv Σ_s p·|dy|; for dq and dk no term of a score's slope exceeds p · 2 · max‖dy‖ · max‖v‖.
    func magnitudes() throws -> [Double] {
        let (query, key, value) = (largestNorm(qkv, part: 0), largestNorm(qkv, part: 1), largestNorm(qkv, part: 2))
        let root = Double(width).squareRoot()
        let slope = 2 * largestNorm(dy, part: nil) * value / root
        let spread = 1 + query * key / root
        // With dy = 1 the gradient of a value is Σ_s p.
        let sums = try valueGradients([Float](repeating: 1, count: dy.count))
        let values = try valueGradients(dy.magnitudes)
        return qkv.indices.map { index in
            let (row, column) = (index / (3 * features), index % (3 * features))
            let feature = row * features + column % features
            switch column / features {
            case 0: return spread * slope * key
            case 1: return spread * slope * query * sums[feature]
            default: return spread * values[feature]
            }
        }
    }

    private func valueGradients(_ dy: [Float]) throws -> [Double] {
        let outputs = try instance(dy).run(on: ReferenceBackend()).outputs
        let gradient = try outputs["projectionsGradient"]?.floats() ?? []
        return gradient.indices.filter { $0 % (3 * features) >= 2 * features }.map { Double(gradient[$0]) }
    }

    private func largestNorm(_ rows: [Float], part: Int?) -> Double {
        let stride = part == nil ? features : 3 * features
        return (0..<batch * length * heads).reduce(0) { largest, index in
            let start = index / heads * stride + (part ?? 0) * features + index % heads * width
            return max(largest, rows[start..<start + width].norm)
        }
    }
}
