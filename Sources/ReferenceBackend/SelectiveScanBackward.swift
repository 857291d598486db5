import ComputeCore
import Foundation

extension SelectiveScanBackward: ReferenceOperation {
    func run(on memory: ReferenceMemory) throws {
        let scan = try ScanInputs(self, memory)
        var sums = ScanGradients(scan)
        for sample in 0..<scan.batch {
            for channel in 0..<scan.channels { scan.addGradients(of: channel, sample: sample, to: &sums) }
        }
        try memory.store(sums.input, in: inputGradient.matrix, accumulates: false)
        try memory.store(sums.delta, in: deltaGradient.matrix, accumulates: false)
        try memory.store(sums.inputMatrix, in: inputMatrixGradient, accumulates: false)
        try memory.store(sums.outputMatrix, in: outputMatrixGradient, accumulates: false)
        try memory.store(sums.gate, in: gateGradient, accumulates: false)
        try memory.add(sums.logDecay, to: logDecayGradient)
        try memory.add(sums.skip, to: skipGradient)
    }
}

/// The operands that are read, dense and row-major.
private struct ScanInputs {
    let batch: Int
    let length: Int
    let channels: Int
    let states: Int
    let u: [Float]
    let delta: [Float]
    let b: [Float]
    let c: [Float]
    let z: [Float]
    let logDecay: [Float]
    let skip: [Float]
    let dy: [Float]

    init(_ operation: SelectiveScanBackward, _ memory: ReferenceMemory) throws {
        let scan = operation.forward
        (batch, length, channels) = (scan.input.shape[0], scan.input.shape[1], scan.input.shape[2])
        states = scan.stateCount
        (u, delta) = try (memory.floats(scan.input), memory.floats(scan.delta))
        (b, c, z) = try (memory.floats(scan.inputMatrix), memory.floats(scan.outputMatrix), memory.floats(scan.gate))
        (logDecay, skip) = try (memory.floats(scan.logDecay), memory.floats(scan.skip))
        dy = try memory.floats(operation.outputGradient)
    }

    /// Runs one channel of one sample forward, keeping its states, and then backward.
    func addGradients(of channel: Int, sample: Int, to sums: inout ScanGradients) {
        let rates = (0..<states).map { -exp(Double(logDecay[channel * states + $0])) }
        var history = [[Double](repeating: 0, count: states)]
        for position in 0..<length {
            let row = sample * length + position
            let element = row * channels + channel
            let step = Scalar.softplus(Double(delta[element]))
            let before = history[position]
            history.append(
                (0..<states).map {
                    exp(step * rates[$0]) * before[$0] + step * Double(b[row * states + $0]) * Double(u[element])
                })
        }

        // What the later positions want of the state: a[s + 1] · g[s + 1].
        var carried = [Double](repeating: 0, count: states)
        for position in (0..<length).reversed() {
            let row = sample * length + position
            let element = row * channels + channel
            let (input, gate, slope) = (Double(u[element]), Double(z[element]), Double(dy[element]))
            let step = Scalar.softplus(Double(delta[element]))
            let (before, after) = (history[position], history[position + 1])
            let dv = slope * Scalar.silu(gate)
            var value = Double(skip[channel]) * input
            var stepSlope = 0.0
            sums.input[element] += Double(skip[channel]) * dv
            sums.skip[channel] += dv * input
            for n in 0..<states {
                let (bn, cn) = (Double(b[row * states + n]), Double(c[row * states + n]))
                let decay = exp(step * rates[n])
                let g = carried[n] + dv * cn
                value += cn * after[n]
                sums.outputMatrix[row * states + n] += dv * after[n]
                sums.inputMatrix[row * states + n] += g * step * input
                sums.input[element] += g * step * bn
                stepSlope += g * (rates[n] * decay * before[n] + bn * input)
                sums.logDecay[channel * states + n] += g * step * rates[n] * decay * before[n]
                carried[n] = decay * g
            }
            sums.gate[element] = slope * value * Scalar.siluSlope(gate)
            sums.delta[element] = stepSlope * Scalar.sigmoid(Double(delta[element]))
        }
    }
}

/// The gradients, in the shapes of what they belong to.
private struct ScanGradients {
    var input: [Double]
    var delta: [Double]
    var inputMatrix: [Double]
    var outputMatrix: [Double]
    var gate: [Double]
    var logDecay: [Double]
    var skip: [Double]

    init(_ scan: ScanInputs) {
        func zeros(_ like: [Float]) -> [Double] { [Double](repeating: 0, count: like.count) }
        (input, delta, gate) = (zeros(scan.u), zeros(scan.delta), zeros(scan.z))
        (inputMatrix, outputMatrix) = (zeros(scan.b), zeros(scan.c))
        (logDecay, skip) = (zeros(scan.logDecay), zeros(scan.skip))
    }
}
