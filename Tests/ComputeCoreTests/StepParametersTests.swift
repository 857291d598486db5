import ComputeCore
import Testing

@Suite struct StepParametersTests {
    @Test(arguments: [
        StepParameters(step: 0, seed: 0),
        StepParameters(step: 63, firstSample: 7, seed: 0xFEDC_BA98_7654_3210, revealThreshold: 1 << 32, revealCount: 9),
        StepParameters(step: .max, firstSample: .max, seed: .max, revealThreshold: 0xFFFF_FFFF, revealCount: .max),
    ])
    func wordsRoundTrip(_ parameters: StepParameters) {
        #expect(parameters.words.count == StepParameters.shape.elementCount)
        #expect(StepParameters(words: parameters.words) == parameters)
    }

    /// The order in which kernels read them.
    @Test func wordsAreLaidOut() {
        let parameters = StepParameters(
            step: 1, firstSample: 2, seed: 0x0000_0004_0000_0003, revealThreshold: 0x0000_0001_FFFF_FFFF,
            revealCount: 5)
        #expect(parameters.words == [1, 2, 3, 4, -1, 1, 5, 0])
    }
}
