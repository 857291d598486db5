import ComputeCore

extension ParityCase {
    /// Up to B·L terms meet in one row: 4 + B·L/64 units of the sums of absolute terms.
    ///
    /// One id lies outside the table.
    static let embeddingBackward: [ParityCase] = [
        (1, 1, 1, 1), (1, 16, 21, 12), (3, 17, 37, 20), (2, 300, 190, 64), (1, 1030, 5, 33),
    ].map { embeddingBackward(batch: $0, length: $1, rows: $2, width: $3) }

    static func embeddingBackward(batch: Int, length: Int, rows: Int, width: Int) -> ParityCase {
        let sizes = "B=\(batch) L=\(length) V=\(rows) E=\(width)"
        return ParityCase("embedding_backward", sizes, tolerance: 4 + Double(batch * length) / 64) { seeded in
            var values = seeded
            var ids = values.integers(batch * length, in: 0..<Int32(rows))
            if ids.count > 2 { ids[2] = Int32(rows) }
            let (dy, before) = (values.normal(batch * length * width), values.normal(rows * width))
            func instance(_ value: ([Float]) -> [Float]) throws -> ParityInstance {
                var instance = ParityInstance()
                let output: Shape = [batch, length, width]
                try instance.plan.append(
                    EmbeddingBackward(
                        forward: Embedding(
                            tokens: instance.input("tokens", [batch, length], ids),
                            table: instance.parameter("table", [rows, width], before),
                            output: instance.plan.intermediate(output)),
                        outputGradient: instance.input("outputGradient", output, value(dy)),
                        tableGradient: instance.sum("tableGradient", [rows, width], value(before))))
                return instance
            }
            var result = try instance { $0 }
            try result.takeMagnitudes(from: instance(\.magnitudes))
            return result
        }
    }
}
