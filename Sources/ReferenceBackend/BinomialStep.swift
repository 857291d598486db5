import ComputeCore

extension BinomialStep: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (samples, cells) = (current.shape[0], current.shape[1] * current.shape[2])
        let (planes, width) = (thresholds.shape[1], current.shape[2])
        let words = try memory.integers(thresholds)
        let parameters = try StepParameters(words: memory.integers(step))
        let (now, clean) = try (memory.floats(current), memory.floats(estimate))
        let known = try memory.floats(known)
        var next = now
        for sample in 0..<samples {
            for cell in 0..<cells where known[sample * cells + cell] <= 0.5 {
                let index = sample * cells + cell
                guard !now[index].isNaN, !clean[index].isNaN else {
                    next[index] = .nan
                    continue
                }
                let plane = cell % width / (width / planes)
                let row = (sample * planes + plane) * 4 + (now[index] > 0.5 ? 2 : 0) + (clean[index] > 0.5 ? 1 : 0)
                let threshold = UInt64(low: words[2 * row], high: words[2 * row + 1])
                let draw = parameters.draw(purpose, position: cell, sample: sample)
                next[index] = UInt64(draw) < threshold ? 1 : 0
            }
        }
        try memory.store(next, in: output)
    }
}
