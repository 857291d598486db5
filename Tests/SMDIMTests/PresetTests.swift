import ComputeCore
import SMDIM
import Testing

@Suite struct PresetTests {
    /// As many as the PyTorch definition of the same sizes has.
    @Test(arguments: [
        (ModelConfiguration.Preset.paper, 53_927_680, 261), (.small, 7_536_256, 146), (.tiny, 200_192, 54),
    ])
    func parametersAreCounted(_ preset: ModelConfiguration.Preset, _ count: Int, _ tensors: Int) throws {
        let parameters = try ModelConfiguration(preset).parameters
        #expect(parameters.reduce(0) { $0 + $1.shape.elementCount } == count)
        #expect(parameters.count == tensors)
        #expect(Set(parameters.map(\.key)).count == tensors)
    }

    /// The work is that of the shapes.
    ///
    /// By hand: linear layers 11 · 2 · 512 · (512 · 2048 + 1024 · 64 + 32 · 1024 + 1024 · 512 + 2 · 512 · 2048 + 4 · 512²),
    /// attention 11 · 4 · 512² · 512, convolutions 4 · 2048 · 512 · 128, head 2 · 2048 · 128 · 282. The scan, the
    /// normalisations and the causal convolutions add one part in seventy.
    @Test func theWorkOfAStepIsKnown() throws {
        let plan = try TokenDenoiser(ModelConfiguration(.paper)).plan(batch: 1, length: 2048)
        let products = plan.operations.filter {
            $0 is Linear || $0 is Attention || $0 is StridedConvolution || $0 is TransposedConvolution
        }
        #expect(products.reduce(0) { $0 + $1.work.flops } == 60_847_816_704)
        #expect(abs(Double(plan.work.flops) * 1e-9 - 61.7) < 0.05)
        let batch = try TokenDenoiser(ModelConfiguration(.paper)).plan(batch: 3, length: 2048)
        #expect(batch.work.flops == 3 * plan.work.flops)
    }

    @Test func lengthsArePaddedToTheStride() {
        let configuration = ModelConfiguration(.tiny)
        #expect([0, 1, 4, 5, 2047, 2048].map(configuration.paddedLength) == [0, 4, 4, 8, 2048, 2048])
        #expect(throws: ValidationError.self) { try TokenDenoiser(configuration).plan(batch: 1, length: 6) }
    }
}
