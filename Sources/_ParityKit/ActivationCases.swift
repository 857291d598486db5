import ComputeCore

extension ParityCase {
    private static let sizes = [(1, 1, 3), (1, 3, 17), (2, 33, 64), (1, 65, 255)]

    /// GELU's exact part is split off; the rest errs by 5e-8, less than a unit of 1, and the product rounds: 3 units.
    static let activate: [ParityCase] = sizes.flatMap { batch, rows, columns in
        [.none, .relu, .gelu].map { activate(batch: batch, rows: rows, columns: columns, $0) }
    }

    static func activate(batch: Int, rows: Int, columns: Int, _ activation: Activation) -> ParityCase {
        ParityCase("activate", "B=\(batch) M=\(rows) N=\(columns) \(activation)", tolerance: 3) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let shape: Shape = [batch, rows, columns]
            let x = values.normal(shape.elementCount, spread: 2)
            try instance.plan.append(
                Activate(
                    input: instance.input("input", shape, x), activation: activation,
                    output: instance.output("output", shape)))
            instance.magnitudes["output"] = x.map { min(max(abs(Double($0)), 1e-3), 1) + abs(Double($0)) }
            return instance
        }
    }

    /// The slope is a sum of two terms below 1.2, each good to a few units: 8 units of |gradient|.
    static let activationBackward: [ParityCase] = sizes.flatMap { batch, rows, columns in
        [.relu, .gelu].map { activationBackward(batch: batch, rows: rows, columns: columns, $0) }
    }

    static func activationBackward(batch: Int, rows: Int, columns: Int, _ activation: Activation) -> ParityCase {
        ParityCase("activation_backward", "B=\(batch) M=\(rows) N=\(columns) \(activation)", tolerance: 8) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let (margin, wide) = (3, columns + 5)
            let slopes = values.normal(batch * rows * wide)
            let saved = values.normal(batch * rows * columns, spread: 2)
            let gradient = try instance.input("gradient", [batch, rows, wide], slopes)
            instance.compare(gradient, as: "gradient")
            try instance.plan.append(
                ActivationBackward(
                    gradient: gradient.columns(margin..<margin + columns),
                    saved: instance.input("saved", [batch, rows, columns], saved).matrix, activation: activation))
            instance.magnitudes["gradient"] = slopes.map { abs(Double($0)) }
            return instance
        }
    }

    /// A copy is exact, a sum rounds once. The last has more rows than some devices count along an axis.
    static let copyRows: [ParityCase] = (sizes + [(1, 70_001, 3)]).flatMap { batch, rows, columns in
        [false, true].map { copyRows(batch: batch, rows: rows, columns: columns, accumulates: $0) }
    }

    static func copyRows(batch: Int, rows: Int, columns: Int, accumulates: Bool) -> ParityCase {
        let sizes = "B=\(batch) M=\(rows) N=\(columns)" + (accumulates ? " add" : "")
        return ParityCase("copy_rows", sizes, tolerance: accumulates ? 1 : 0) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let (from, into) = (columns + 2, columns + 7)
            let target = try instance.input("target", [batch, rows, into], values.normal(batch * rows * into))
            instance.compare(target, as: "target")
            try instance.plan.append(
                CopyRows(
                    source: instance.input("source", [batch, rows, from], values.normal(batch * rows * from))
                        .columns(1..<1 + columns),
                    target: target.columns(4..<4 + columns), accumulates: accumulates))
            return instance
        }
    }
}
