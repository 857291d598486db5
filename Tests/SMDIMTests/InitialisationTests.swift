import ComputeCore
import Foundation
import SMDIM
import Testing

/// The laws of Mamba's published initialisation, on a model whose sizes all differ.
@Suite struct InitialisationTests {
    private var configuration: ModelConfiguration {
        var configuration = ModelConfiguration(.tiny, vocabularySize: 190)
        configuration.embeddingWidth = 24
        configuration.stride = 3
        configuration.trunk.modelWidth = 80
        configuration.trunk.blockCount = 3
        configuration.trunk.stateCount = 7
        configuration.trunk.headCount = 4
        configuration.trunk.feedForwardWidth = 200
        return configuration
    }

    private func weights(seed: UInt64 = 1) throws -> [String: ParameterSource] {
        Dictionary(uniqueKeysWithValues: try configuration.initialWeights(seed: seed).map { ($0.key.name, $0) })
    }

    private func values(_ name: String) throws -> [Float] { try #require(weights()[name]?.values) }

    @Test func decaysAreOneToN() throws {
        let states = (1...7).map { Float(log(Double($0))) }
        #expect(try values("blocks.1.mamba.A_log") == (0..<160).flatMap { _ in states })
        #expect(try values("blocks.1.mamba.D") == [Float](repeating: 1, count: 160))
    }

    /// softplus(bias) is log-uniform in [0.001, 0.1]: a quarter of the values lies in each quarter of the logarithms.
    @Test func stepsAreLogUniform() throws {
        let steps = try values("blocks.0.mamba.dt_proj.bias").map { log1p(exp(Double($0))) }
        let places = steps.map { (log10($0) + 3) / 2 }
        #expect(places.allSatisfy { (-1e-4...1.0001).contains($0) })
        for quarter in 0..<4 {
            let count = places.count { Int($0 * 4) == quarter }
            #expect((22...58).contains(count), "quarter \(quarter) has \(count) of 160; 40 ± 3 deviations of 5.5")
        }
    }

    /// Uniform in ±bound, by name: √ of the fan-in, what closes a residual also of the residual layers, 3 · 3.
    @Test(arguments: [
        ("blocks.0.mamba.dt_proj.weight", 5), ("blocks.0.mamba.in_proj.weight", 80),
        ("blocks.0.mamba.x_proj.weight", 160), ("blocks.0.mamba.conv1d.weight", 4), ("blocks.2.ffn.fc1.weight", 80),
        ("blocks.2.attn.qkv.weight", 80), ("down.weight", 24 * 3), ("up.weight", 80), ("head.weight", 24),
        ("blocks.0.mamba.out_proj.weight", 160 * 9), ("blocks.2.ffn.fc2.weight", 200 * 9),
        ("blocks.2.attn.out.weight", 80 * 9),
    ])
    func matricesFillTheirBound(_ name: String, _ squared: Int) throws {
        let bound = 1 / Double(squared).squareRoot()
        let relative = try values(name).map { Double($0) / bound }
        #expect(relative.allSatisfy { abs($0) <= 1.000001 })
        #expect(relative.contains { $0 > 0.98 } && relative.contains { $0 < -0.98 })
        let mean = relative.reduce(0, +) / Double(relative.count)
        let variance = relative.reduce(0) { $0 + $1 * $1 } / Double(relative.count)
        #expect(abs(mean) < 4 / Double(3 * relative.count).squareRoot(), "four deviations of a uniform mean")
        #expect(abs(variance - 1.0 / 3) < 4 * 0.3 / Double(relative.count).squareRoot())
    }

    @Test func embeddingsAreStandardNormal() throws {
        let values = try values("embed.weight").map(Double.init)
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let variance = values.reduce(0) { $0 + $1 * $1 } / count
        let fourth = values.reduce(0) { $0 + $1 * $1 * $1 * $1 } / count
        #expect(values.count == 191 * 24 && abs(mean) < 4 / count.squareRoot())
        #expect(abs(variance - 1) < 4 * (2 / count).squareRoot() && abs(fourth - 3) < 4 * (96 / count).squareRoot())
    }

    @Test func normsAreOneAndBiasesZero() throws {
        for (name, source) in try weights() where source.shape.rank == 1 {
            if name.hasSuffix(".D") || name.hasSuffix("dt_proj.bias") { continue }
            let isScale = name.contains("norm") && name.hasSuffix("weight")
            #expect(source.values?.allSatisfy { $0 == (isScale ? 1 : 0) } == true, "\(name)")
        }
    }

    @Test func theSeedNamesEveryValue() throws {
        let (a, b, other) = try (weights(), weights(), weights(seed: 1 << 40))
        for (name, source) in a {
            #expect(source.values == b[name]?.values, "\(name)")
            if source.shape.rank > 1, !name.hasSuffix("A_log") {
                #expect(source.values != other[name]?.values, "\(name)")
            }
        }
        #expect(a["blocks.0.ffn.fc1.weight"]?.values != a["blocks.1.ffn.fc1.weight"]?.values)
    }
}
