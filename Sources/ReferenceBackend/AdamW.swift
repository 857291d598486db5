import ComputeCore

extension AdamW: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let numbers = try memory.floats(schedule).map(Double.init)
        let (rate, b1, b2, epsilon, averageDecay) = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[6])
        let (firstCorrection, secondCorrection) = (numbers[4], numbers[5])
        let factor = try Double(memory.floats(clip)[0])
        let gradient = try memory.floats(gradient)
        var (w, m) = try (memory.floats(weight), memory.floats(firstMoment))
        var (v, mean) = try (memory.floats(secondMoment), memory.floats(average))
        for i in w.indices {
            let g = factor * Double(gradient[i])
            let first = b1 * Double(m[i]) + (1 - b1) * g
            let second = b2 * Double(v[i]) + (1 - b2) * g * g
            let decayed = Double(w[i]) - rate * Double(decay) * Double(w[i])
            let stepped =
                decayed - rate * (first * firstCorrection) / ((second * secondCorrection).squareRoot() + epsilon)
            (m[i], v[i], w[i]) = (Float(first), Float(second), Float(stepped))
            mean[i] = Float(averageDecay * Double(mean[i]) + (1 - averageDecay) * stepped)
        }
        try memory.store(w, in: weight)
        try memory.store(m, in: firstMoment)
        try memory.store(v, in: secondMoment)
        try memory.store(mean, in: average)
        try memory.store([Float](repeating: 0, count: w.count), in: self.gradient)
    }
}
