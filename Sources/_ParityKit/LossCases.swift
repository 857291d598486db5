import ComputeCore
import Foundation

extension ParityCase {
    /// A sum of V exponentials, each good to a few units and its argument's rounding: 8 + V/16 units.
    ///
    /// Of the softmax for the gradient, and for the loss of the logits that it is the difference of. Rows that do not count
    /// are exactly 0, one of them made of NaN.
    static let crossEntropy: [ParityCase] = [
        (1, 1, 2), (1, 8, 15), (2, 17, 37), (3, 65, 190), (1, 130, 282),
    ].map { crossEntropy(batch: $0, length: $1, ids: $2) }

    static func crossEntropy(batch: Int, length: Int, ids: Int) -> ParityCase {
        ParityCase("cross_entropy", "B=\(batch) L=\(length) V=\(ids)", tolerance: 8 + Double(ids) / 16) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let positions: Shape = [batch, length]
            var logits = values.normal(batch * length * ids, spread: 2, outlier: 3)
            let targets = values.integers(batch * length, in: 0..<Int32(ids))
            let selector = values.integers(batch * length, in: 0..<3).enumerated().map {
                $0.offset == 1 ? 0 : $0.element
            }
            if selector.count > 1 { for id in 0..<ids { logits[ids + id] = .nan } }
            let weights = values.uniform(batch, in: 0.01...0.1)
            let tensor = try instance.input("logits", [batch, length, ids], logits)
            instance.compare(tensor, as: "logits")
            try instance.plan.append(
                CrossEntropy(
                    logits: tensor, targets: instance.input("targets", positions, targets),
                    selector: instance.input("selector", positions, selector), selected: selector[0],
                    weights: instance.input("weights", [batch], weights), losses: instance.output("losses", positions)))
            var (losses, slopes) = ([Double](), [Double]())
            for (row, target) in targets.enumerated() {
                let weight = Double(weights[row / length])
                let x = logits[row * ids..<(row + 1) * ids].map(Double.init)
                let largest = x.max() ?? 0
                let sum = x.reduce(0) { $0 + exp($1 - largest) }
                losses.append(weight * (1 + abs(largest) + abs(x[Int(target)]) + log(sum)))
                slopes += x.enumerated().map { id, x in
                    weight * (exp(x - largest) / sum * (2 + largest - x) + (id == Int(target) ? 1 : 0))
                }
            }
            instance.magnitudes = ["losses": losses, "logits": slopes]
            return instance
        }
    }

    /// Compensated: 4 units of Σ|v| however many there are.
    ///
    /// Of random terms most roundings cancel without any compensation, of equal ones they add up.
    static let sumValues: [ParityCase] =
        [1, 15, 16, 17, 4099, 100_000].map { sumValues(count: $0) } + [sumValues(count: 100_000, areEqual: true)]

    static func sumValues(count: Int, areEqual: Bool = false) -> ParityCase {
        ParityCase("sum_values", "N=\(count)" + (areEqual ? " of 1.1" : ""), tolerance: 4) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let terms = areEqual ? [Float](repeating: 1.1, count: count) : values.normal(count)
            try instance.plan.append(
                SumValues(values: instance.input("values", [count], terms), output: instance.output("output", [1])))
            instance.magnitudes["output"] = [terms.reduce(0) { $0 + abs(Double($1)) }]
            return instance
        }
    }

    /// Squares do not cancel: some units per thousand terms of a lane's sum, and a root: 32 units.
    static let gradientNorm: [ParityCase] = [
        (1.0, [1]), (1.0, [7, 40]), (1e9, [1, 33, 600]), (3.0, [16384, 16385, 3]),
    ].map { gradientNorm(maximum: $0, sizes: $1) }

    static func gradientNorm(maximum: Double, sizes: [Int]) -> ParityCase {
        let names = sizes.map(String.init).joined(separator: ",")
        return ParityCase("gradient_norm", "maximum=\(maximum) \(names)", tolerance: 32) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let gradients = try sizes.enumerated().map { index, count in
                try instance.parameter("g\(index)", [count, 3], values.normal(3 * count), as: .matrix)
            }
            try instance.plan.append(
                GradientNorm(
                    gradients: gradients, maximum: Float(maximum), output: instance.output("output", [2])))
            return instance
        }
    }

    /// A dozen roundings, a root and a quotient: 6 units of the absolute terms.
    static let adamW: [ParityCase] = [(1, 1, ParameterLayout.plain, 0.0), (1, 17, .plain, 0), (33, 70, .matrix, 0.1)]
        .map { adamW(rows: $0, columns: $1, layout: $2, decay: $3) }

    static func adamW(rows: Int, columns: Int, layout: ParameterLayout, decay: Double) -> ParityCase {
        ParityCase("adamw", "\(rows)x\(columns) \(layout) decay=\(decay)", tolerance: 6) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let shape: Shape = [rows, columns]
            let count = shape.elementCount
            let (w, g, m) = (values.normal(count), values.normal(count), values.normal(count))
            let (v, mean) = (values.normal(count).map { $0 * $0 }, values.normal(count))
            let schedule = AdamWSchedule(rate: 1e-2, step: 3, averageDecay: 0.9)
            let clip: [Float] = [0.25, 4]
            try instance.plan.append(
                AdamW(
                    weight: instance.sum("weight", shape, w, as: layout),
                    gradient: instance.sum("gradient", shape, g, as: layout),
                    firstMoment: instance.sum("firstMoment", shape, m, as: layout),
                    secondMoment: instance.sum("secondMoment", shape, v, as: layout),
                    average: instance.sum("average", shape, mean, as: layout),
                    clip: instance.input("clip", [2], clip),
                    schedule: instance.input("schedule", AdamWSchedule.shape, schedule.values),
                    decay: Float(decay)))
            let numbers = schedule.values.map(Double.init)
            let first = (0..<count).map { 0.9 * abs(Double(m[$0])) + 0.1 * abs(Double(clip[0] * g[$0])) }
            let second = (0..<count).map { 0.99 * Double(v[$0]) + 0.01 * pow(Double(clip[0] * g[$0]), 2) }
            // A moment times the rate may lose bits below the least normal number before ε divides it.
            let least = Double(Float.leastNormalMagnitude)
            let weights = (0..<count).map {
                abs(Double(w[$0])) + max(numbers[0] * first[$0] * numbers[4], least)
                    / ((second[$0] * numbers[5]).squareRoot() + numbers[3])
            }
            instance.magnitudes = [
                "weight": weights, "firstMoment": first, "secondMoment": second,
                "average": (0..<count).map { 0.9 * abs(Double(mean[$0])) + 0.1 * weights[$0] },
            ]
            return instance
        }
    }
}
