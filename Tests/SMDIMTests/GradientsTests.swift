import ComputeCore
import ReferenceBackend
import SMDIM
import Testing

@Suite struct GradientsTests {
    /// The lengths are those before the padding to the stride.
    @Test(arguments: [("clean", [2, 7], [2, 6]), ("mask", [2, 6], [2, 7]), ("clean", [1, 6], [2, 6])])
    func tensorsOfOtherShapesAreNamed(_ name: String, _ clean: [Int], _ mask: [Int]) throws {
        func ids(_ shape: [Int]) throws -> HostTensor {
            try HostTensor(Shape(shape), [Int32](repeating: 1, count: shape[0] * shape[1]))
        }
        let configuration = ModelConfiguration(.tiny, vocabularySize: 8)
        let error = #expect(throws: ValidationError.self) {
            try TokenDenoiser(configuration, purpose: .training).gradients(
                noisy: ids([2, 6]), clean: ids(clean), mask: ids(mask),
                weights: configuration.initialWeights(seed: 1), on: ReferenceBackend())
        }
        let found = name == "clean" ? clean : mask
        #expect(
            error
                == ValidationError(
                    operation: "gradients", argument: name, expected: "[2, 6], the shape of noisy",
                    found: "\(Shape(found))"))
    }
}
