import ComputeCore

extension ParityCase {
    /// A copy has no rounding, hence tolerance 0; one id in the list lies outside the table and gives NaN.
    static let embedding: [ParityCase] = [
        (1, 1, 1, 1), (1, 16, 21, 12), (3, 17, 37, 20), (2, 65, 190, 64), (1, 512, 283, 128),
    ].map { embedding(batch: $0, length: $1, rows: $2, width: $3) }

    static func embedding(batch: Int, length: Int, rows: Int, width: Int) -> ParityCase {
        ParityCase("embedding", "B=\(batch) L=\(length) V=\(rows) E=\(width)", tolerance: 0) { seeded in
            var values = seeded
            var instance = ParityInstance()
            var ids = values.integers(batch * length, in: 0..<Int32(rows))
            if ids.count > 2 { ids[2] = Int32(rows) }
            let tokens = try instance.input("tokens", [batch, length], ids)
            let table = try instance.parameter("table", [rows, width], values.normal(rows * width))
            let output = instance.output("output", [batch, length, width])
            try instance.plan.append(Embedding(tokens: tokens, table: table, output: output))
            return instance
        }
    }
}
