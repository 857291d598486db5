import ComputeCore
import Testing

@Suite struct PhiloxTests {
    /// Known answers of Random123's `philox4x32` with ten rounds (kat_vectors).
    @Test(arguments: [
        (SIMD4<UInt32>.zero, SIMD2<UInt32>.zero, SIMD4<UInt32>(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8)),
        (
            SIMD4(repeating: UInt32.max), SIMD2(repeating: UInt32.max),
            SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD)
        ),
        (
            SIMD4(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344), SIMD2(0xA409_3822, 0x299F_31D0),
            SIMD4(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1)
        ),
    ])
    func knownAnswers(_ counter: SIMD4<UInt32>, _ key: SIMD2<UInt32>, _ expected: SIMD4<UInt32>) {
        #expect(Philox.block(counter: counter, key: key) == expected)
    }

    @Test func unitDrawsAreExactAndBelowOne() {
        #expect(Philox.unit(0) == 0)
        #expect(Philox.unit(.max) == 1 - 0x1p-24)
        #expect(Philox.unit(0x8000_0000) == 0.5)
    }

    @Test func thresholdsReachBothEnds() {
        #expect(Philox.threshold(probability: 0) == 0)
        #expect(Philox.threshold(probability: 1) == 1 << 32)
        #expect(Philox.threshold(probability: 0.25) == 1 << 30)
    }

    @Test func everyPartOfTheCounterMatters() {
        let base = Philox.draw(seed: 1, purpose: .token, position: 2, step: 3, sample: 4)
        #expect(base != Philox.draw(seed: 1 << 32, purpose: .token, position: 2, step: 3, sample: 4))
        #expect(base != Philox.draw(seed: 1, purpose: .reveal, position: 2, step: 3, sample: 4))
        #expect(base != Philox.draw(seed: 1, purpose: .token, position: 3, step: 3, sample: 4))
        #expect(base != Philox.draw(seed: 1, purpose: .token, position: 2, step: 4, sample: 4))
        #expect(base != Philox.draw(seed: 1, purpose: .token, position: 2, step: 3, sample: 5))
    }
}
