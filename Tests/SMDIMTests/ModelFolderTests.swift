import ComputeCore
import Foundation
import ReferenceBackend
import SMDIM
import Testing
import _TestSupport

/// A copy of the golden model whose weights can be changed.
private struct ModelCopy {
    let url: URL
    var weights: [String: HostTensor] = [:]

    init() throws {
        url = try TemporaryFolder().url.appending(path: "copy")
        let golden = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Golden/g1")
        try FileManager.default.copyItem(at: golden, to: url)
        let file = try Safetensors(contentsOf: url.appending(path: "model.safetensors"))
        for name in file.entries.keys { weights[name] = try file.tensor(name) }
    }

    /// The weights that the folder gives after they were written.
    func reload(as type: Safetensors.StoredType = .float32) throws -> [ParameterSource] {
        try Safetensors.write(weights, as: type, to: url.appending(path: "model.safetensors"))
        return try ModelFolder<ModelConfiguration>(url).weights()
    }
}

@Suite struct ModelFolderTests {
    @Test func whatIsWrittenIsAFolderAndNothingElse() throws {
        let folder = try TemporaryFolder()
        let configuration = ModelConfiguration(.tiny, vocabularySize: 8)
        try ModelFolder.write(
            configuration, weights: configuration.initialWeights(seed: 1), isTrained: false, tokenizer: nil, readme: "",
            to: folder.url.appending(path: "model"))
        #expect(folder.names == ["model"])
        #expect(throws: ModelFileError.self) {
            try ModelFolder.write(
                configuration, weights: [], isTrained: false, tokenizer: nil, readme: "",
                to: folder.url.appending(path: "model/config.json/other"))
        }
        #expect(folder.names == ["model"])
    }

    @Test(arguments: [Safetensors.StoredType.float32, .float16, .bfloat16])
    func weightsComeInEveryFloatType(_ type: Safetensors.StoredType) throws {
        let model = try ModelCopy()
        let sources = try model.reload(as: type)
        #expect(Set(sources.map(\.key.name)) == Set(model.weights.keys))
        // The least half that is not zero is 2⁻²⁴; bfloat16 has the exponents of float32.
        let (relative, absolute): (Float, Float) =
            switch type {
            case .float16: (0x1p-11, 0x1p-25)
            case .bfloat16: (0x1p-8, 0)
            default: (0, 0)
            }
        for source in sources {
            let stored = try zip(#require(source.values), #require(model.weights[source.key.name]).floats())
            #expect(stored.allSatisfy { abs($0 - $1) <= relative * abs($1) + absolute }, "\(source.key)")
        }
    }

    @Test func filesAreWrittenWhereSymbolicLinksLead() throws {
        let names = ["README.md", "config.json", "model.safetensors", "tokenizer.json"]
        let (links, targets) = (try TemporaryFolder(), try TemporaryFolder())
        for name in names {
            try FileManager.default.createSymbolicLink(
                atPath: links.path(name), withDestinationPath: targets.path(name))
        }
        let model = try ModelCopy()
        let folder = try ModelFolder<ModelConfiguration>(model.url)
        try ModelFolder.write(
            folder.configuration, weights: folder.weights(), isTrained: false, tokenizer: Data("{}".utf8), readme: "",
            to: links.url)
        #expect(targets.names == names)
        for name in names {
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: links.path(name)) == targets.path(name))
        }
        #expect(try ModelFolder<ModelConfiguration>(links.url).weights().count == model.weights.count)
    }

    @Test func aMissingWeightIsNamed() throws {
        var model = try ModelCopy()
        model.weights["blocks.1.ffn.fc2.bias"] = nil
        #expect(throws: ModelFileError.missingWeight("blocks.1.ffn.fc2.bias", expected: [16])) {
            try model.reload()
        }
    }

    @Test func anExtraWeightIsNamed() throws {
        var model = try ModelCopy()
        model.weights["blocks.2.norm1.bias"] = try HostTensor([16], [Float](repeating: 0, count: 16))
        #expect(throws: ModelFileError.extraWeight("blocks.2.norm1.bias")) { try model.reload() }
    }

    @Test func aWrongShapeIsNamed() throws {
        var model = try ModelCopy()
        let turned = try #require(model.weights["blocks.0.ffn.fc1.weight"])
        model.weights["blocks.0.ffn.fc1.weight"] = try HostTensor([16, 24], turned.floats())
        #expect(
            throws: ModelFileError.weightShape("blocks.0.ffn.fc1.weight", expected: [24, 16], found: [16, 24])
        ) { try model.reload() }
    }

    @Test func aWrongTypeIsNamed() throws {
        var model = try ModelCopy()
        model.weights["norm.bias"] = try HostTensor([16], [Int32](repeating: 0, count: 16))
        #expect(
            throws: ModelFileError.weightType("norm.bias", expected: "F32, F16 or BF16", found: "I32")
        ) { try model.reload() }
    }

    @Test(arguments: ["config.json", "model.safetensors"])
    func aMissingFileIsNamed(_ name: String) throws {
        let model = try ModelCopy()
        try FileManager.default.removeItem(at: model.url.appending(path: name))
        let error = #expect(throws: ModelFileError.self) {
            try ModelFolder<ModelConfiguration>(model.url).weights()
        }
        #expect(error?.description.contains("\(name): cannot be read") == true)
    }

    /// Sizes of terabytes are shapes until weights of these shapes are there.
    @Test func absurdSizesTakeNoMemory() throws {
        let model = try ModelCopy()
        let huge = """
            {"vocab_size": 65536, "embed_dim": 65536, "d_model": 65536, "stride": 256, "n_blocks": 1024, "d_state": 64,
             "d_conv": 64, "expand": 64, "n_heads": 512, "d_ff": 1048576}
            """
        try Data(huge.utf8).write(to: model.url.appending(path: "config.json"))
        #expect(
            throws: ModelFileError.weightShape("embed.weight", expected: [65537, 65536], found: [22, 12])
        ) { try model.reload() }
    }

    @Test func writingAndReadingGivesTheModelBack() throws {
        let model = try ModelCopy()
        let original = try ModelFolder<ModelConfiguration>(model.url)
        let copy = model.url.appending(path: "copy")
        try ModelFolder.write(
            original.configuration, weights: original.weights(), isTrained: false, tokenizer: Data("{}".utf8),
            readme: "#", to: copy)
        let folder = try ModelFolder<ModelConfiguration>(copy)
        #expect(try folder.configuration == original.configuration && folder.isUntrained())
        for source in try folder.weights() {
            #expect(try model.weights[source.key.name]?.floats() == source.values)
        }
    }

    @Test(
        arguments: [
            ([1, 4], [0, 21, 22, 3], "tokens[2]"), ([2, 2], [0, 1, 2, -1], "tokens[3]"), ([4], [0, 1, 2, 3], "tokens"),
            ([1, 0], [], "tokens"), ([0, 4], [], "tokens"),
        ] as [([Int], [Int32], String)])
    func tokensAreChecked(_ shape: [Int], _ ids: [Int32], _ argument: String) throws {
        let denoiser = TokenDenoiser(ModelConfiguration(.tiny, vocabularySize: 21))
        let tokens = try HostTensor(Shape(shape), ids)
        let error = #expect(throws: ValidationError.self) {
            try denoiser.logits(of: tokens, weights: [], on: ReferenceBackend())
        }
        #expect(error?.argument == argument)
    }
}
