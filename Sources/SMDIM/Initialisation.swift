public import ComputeCore
import Foundation

extension DenoiserConfiguration {
    /// Untrained weights, drawn with Philox under `seed`.
    ///
    /// Mamba's published initialisation (research: arXiv 2312.00752 and its code): A_log = ln(1…N), D = 1, dt_proj
    /// uniform in ±R^(−1/2) with a bias whose softplus is log-uniform in [0.001, 0.1]; out_proj, fc2 and out divided by
    /// √(residual layers). Token embeddings are standard normal, embeddings of times sinusoids of the time (arXiv 1706.03762),
    /// other matrices uniform in ±fan_in^(−1/2).
    ///
    /// - Throws: ``ValidationError`` if the configuration contradicts itself.
    public func initialWeights(
        seed: UInt64, precision: Precision = .float32
    ) throws(ValidationError) -> [ParameterSource] {
        let residualLayers = Double(3 * trunk.blockCount)
        var sources: [ParameterSource] = []
        for (index, declaration) in try parameters(precision).enumerated() {
            let draw = InitialDraw(seed: seed, parameter: UInt32(index))
            let values = initialValues(of: declaration, draw: draw, residualLayers: residualLayers)
            sources.append(try ParameterSource(declaration.key, declaration.layout, declaration.shape, values))
        }
        return sources
    }

    private func initialValues(of weight: ParameterDeclaration, draw: InitialDraw, residualLayers: Double) -> [Float] {
        let count = weight.shape.elementCount
        let name = weight.key.name
        func uniform(_ bound: Double) -> [Float] {
            (0..<count).map { Float(bound * (2 * draw.uniform(at: $0) - 1)) }
        }
        if name.hasSuffix("A_log") { return (0..<count).map { Float(log(Double($0 % trunk.stateCount + 1))) } }
        if name.hasSuffix(".D") { return [Float](repeating: 1, count: count) }
        if name.hasSuffix("dt_proj.bias") {
            return (0..<count).map {
                let step = max(exp(draw.uniform(at: $0) * log(100) + log(1e-3)), 1e-4)
                return Float(step + log(-expm1(-step)))
            }
        }
        if name.hasSuffix("dt_proj.weight") { return uniform(1 / Double(trunk.stepRank).squareRoot()) }
        if name == "embed.weight" { return (0..<count).map { Float(draw.normal(at: $0)) } }
        if name == "time.weight" { return Self.sinusoids(weight.shape, base: Double(trunk.rotaryBase)) }
        if weight.shape.rank == 1 {
            let isScale = name.contains("norm") && name.hasSuffix("weight")
            return [Float](repeating: isScale ? 1 : 0, count: count)
        }
        let fanIn = weight.layout == .transposedConvolution ? weight.shape[0] : count / weight.shape[0]
        let closesResidual = ["out_proj.weight", "fc2.weight", "out.weight"].contains { name.hasSuffix($0) }
        return uniform(1 / (Double(fanIn) * (closesResidual ? residualLayers : 1)).squareRoot())
    }

    /// Row k of [times, D]: sin(k·θ^(−2i/D)) and its cosine, interleaved. Neighbouring times start alike.
    private static func sinusoids(_ shape: Shape, base: Double) -> [Float] {
        (0..<shape.elementCount).map { index in
            let (time, column) = (index / shape[1], index % shape[1])
            let angle = Double(time) * pow(base, -2 * Double(column / 2) / Double(shape[1]))
            return Float(column % 2 == 0 ? sin(angle) : cos(angle))
        }
    }
}

/// The random numbers of one parameter; the element is the position, the parameter the step.
private struct InitialDraw {
    let seed: UInt64
    let parameter: UInt32

    /// In (0, 1), never an end.
    func uniform(at element: Int, stream: UInt32 = 0) -> Double {
        let draw = Philox.draw(
            seed: seed, purpose: .initialise, position: UInt32(element), step: parameter, sample: stream)
        return (Double(draw) + 0.5) * 0x1p-32
    }

    /// Standard normal, by Box and Muller's transform of two uniform numbers.
    func normal(at element: Int) -> Double {
        (-2 * log(uniform(at: element))).squareRoot() * cos(2 * .pi * uniform(at: element, stream: 1))
    }
}
