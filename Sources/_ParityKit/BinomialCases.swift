import ComputeCore
import Foundation

extension ParityCase {
    /// Integer thresholds: equal bit for bit, with the output in the input's memory and known and undefined cells.
    static let binomialStep: [ParityCase] = [(1, 1, 1, 1), (2, 5, 6, 2), (3, 16, 176, 2), (1, 130, 88, 1)].map {
        binomialStep(batch: $0, steps: $1, width: $2, planes: $3)
    }

    static func binomialStep(batch: Int, steps: Int, width: Int, planes: Int) -> ParityCase {
        ParityCase("binomial_step", "B=\(batch) S=\(steps) C=\(width) P=\(planes)", tolerance: 0) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let shape: Shape = [batch, steps, width]
            let count = shape.elementCount
            var current = values.integers(count, in: 0..<2).map(Float.init)
            var estimate = values.integers(count, in: 0..<2).map(Float.init)
            if count > 8 { current[7] = .nan }
            // Some of them estimates of known cells.
            for cell in stride(from: 8, to: count, by: 15) { estimate[cell] = .nan }
            let thresholds = values.uniform(batch * planes * 4, in: -0.1...1.1).flatMap { probability -> [Int32] in
                let threshold = Philox.threshold(probability: Double(probability))
                return threshold.halfWords
            }
            let cells = try instance.input("cells", shape, current)
            instance.compare(cells, as: "cells")
            let known = values.integers(count, in: 0..<4).map { $0 == 3 ? Float(1) : 0 }
            try instance.plan.append(
                BinomialStep(
                    current: cells,
                    estimate: instance.input("estimate", shape, estimate),
                    known: instance.input("known", shape, known),
                    thresholds: instance.input("thresholds", [batch, planes, 4, 2], thresholds),
                    step: instance.step(StepParameters(step: 3, firstSample: 5, seed: seeded.seed)), purpose: .reveal,
                    output: cells))
            return instance
        }
    }

    /// Equal but for near-ties.
    static let cellDraw: [ParityCase] = [(1, 1, 1, 1.0), (2, 5, 7, 0.5), (3, 16, 176, 1), (1, 40, 88, 0)].map {
        cellDraw(batch: $0, steps: $1, width: $2, temperature: $3)
    }

    static func cellDraw(batch: Int, steps: Int, width: Int, temperature: Double) -> ParityCase {
        ParityCase("cell_draw", "B=\(batch) S=\(steps) C=\(width) T=\(temperature)", tolerance: 0) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let shape: Shape = [batch, steps, width]
            var logits = values.normal(shape.elementCount, spread: 3)
            // At temperature 0 a logit of 0 lies on the boundary.
            if logits.count > 16 {
                logits.replaceSubrange(3..<14, with: [.nan, .infinity, -.infinity] + [Float](repeating: 0, count: 8))
            }
            let marks = [Int32](repeating: 0, count: shape.elementCount)
            let nearTies = try instance.input("nearTies", shape, marks)
            instance.leaveOpen(markedBy: nearTies) { marks in
                ParityInstance.OpenDraws(elements: Set(marks.indices.filter { marks[$0] != 0 }))
            }
            try instance.plan.append(
                CellDraw(
                    logits: instance.input("logits", shape, logits),
                    step: instance.step(StepParameters(step: 9, firstSample: 2, seed: seeded.seed)),
                    temperature: Float(temperature), estimate: instance.output("estimate", shape), nearTies: nearTies))
            return instance
        }
    }

    /// A few exponentials and a quotient in a slope, a polynomial logarithm and C terms in a loss: 12 + C/16 units.
    ///
    /// Known cells are exactly 0, some of them made of NaN.
    static let binaryCrossEntropy: [ParityCase] = [(1, 1, 1), (2, 5, 15), (3, 16, 176), (1, 33, 88)].flatMap {
        batch, steps, width in
        BinaryCrossEntropy.Loss.allCases.map { binaryCrossEntropy(batch: batch, steps: steps, width: width, $0) }
    }

    static func binaryCrossEntropy(
        batch: Int, steps: Int, width: Int, _ loss: BinaryCrossEntropy.Loss
    ) -> ParityCase {
        ParityCase(
            "binary_cross_entropy", "B=\(batch) S=\(steps) C=\(width) \(loss.rawValue)",
            tolerance: 12 + Double(width) / 16
        ) { seeded in
            var values = seeded
            var instance = ParityInstance()
            let shape: Shape = [batch, steps, width]
            let count = shape.elementCount
            var logits = values.normal(count, spread: 3)
            let targets = values.integers(count, in: 0..<2).map(Float.init)
            let known = values.integers(count, in: 0..<4).map { $0 == 3 ? Float(1) : 0 }
            for (index, known) in known.enumerated() where known > 0 && index % 3 == 0 { logits[index] = .nan }
            let weights = values.uniform(batch, in: 0.01...0.1)
            let tensor = try instance.input("logits", shape, logits)
            instance.compare(tensor, as: "logits")
            try instance.plan.append(
                BinaryCrossEntropy(
                    logits: tensor, targets: instance.input("targets", shape, targets),
                    known: instance.input("known", shape, known),
                    weights: instance.input("weights", [batch], weights), loss: loss,
                    losses: instance.output("losses", [batch, steps])))
            var losses = [Double](repeating: 0, count: batch * steps)
            for index in 0..<count where known[index] == 0 {
                let toward = targets[index] > 0.5 ? -Double(logits[index]) : Double(logits[index])
                let part = loss == .absolute ? 1 / (1 + exp(-toward)) : max(toward, 0) + log1p(exp(-abs(toward)))
                losses[index / width] += Double(weights[index / (steps * width)]) * part
            }
            instance.magnitudes["losses"] = losses
            return instance
        }
    }
}
