import ComputeCore
import Foundation

extension SelectiveScan: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let (batch, length, channels) = (input.shape[0], input.shape[1], input.shape[2])
        let states = stateCount
        let (u, delta) = try (memory.floats(input), memory.floats(delta))
        let (b, c, z) = try (memory.floats(inputMatrix), memory.floats(outputMatrix), memory.floats(gate))
        let (logDecay, skip) = try (memory.floats(logDecay), memory.floats(skip))
        var state =
            try initialState.map { try memory.floats($0).map(Double.init) }
            ?? [Double](repeating: 0, count: batch * channels * states)
        var y = [Float](repeating: 0, count: batch * length * channels)
        for sample in 0..<batch {
            for row in sample * length..<(sample + 1) * length {
                for channel in 0..<channels {
                    let element = row * channels + channel
                    let step = Scalar.softplus(Double(delta[element]))
                    var sum = Double(skip[channel]) * Double(u[element])
                    for n in 0..<states {
                        let decay = exp(-step * exp(Double(logDecay[channel * states + n])))
                        let h = (sample * channels + channel) * states + n
                        state[h] = decay * state[h] + step * Double(b[row * states + n]) * Double(u[element])
                        sum += Double(c[row * states + n]) * state[h]
                    }
                    y[element] = Float(sum * Scalar.silu(Double(z[element])))
                }
            }
        }
        try memory.store(y, in: output)
        if let finalState { try memory.store(state.map { Float($0) }, in: finalState) }
    }
}
