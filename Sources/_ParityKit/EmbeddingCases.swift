import ComputeCore

extension ParityCase {
    /// A copy has no rounding, hence tolerance 0; one id in the list lies outside the table and gives NaN.
    static let embedding: [ParityCase] = [
        (1, 1, 1, 1), (1, 16, 21, 12), (3, 17, 37, 20), (2, 65, 190, 64), (1, 512, 283, 128),
    ]
    .map { (batch, length, rows, width) -> ParityCase in
        ParityCase("embedding", "B=\(batch) L=\(length) V=\(rows) E=\(width)", tolerance: 0) { seed in
            var values = SeededValues(seed: seed)
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
