import ComputeCore
import Foundation
import Music
import OpenCLBackend
import OpenCLRuntime
import Pipeline
import ReferenceBackend
import SMDIM

// MARK: - One forward pass, on both backends

func logits(of tokens: HostTensor, model: URL, on backend: any Backend) throws -> [Float] {
    let folder = try ModelFolder<ModelConfiguration>(model)
    return try TokenDenoiser(folder.configuration)
        .logits(of: tokens, weights: folder.weights(), on: backend).floats()
}

let golden = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../Golden/g1").standardized
let tokens = try Safetensors(contentsOf: golden.appending(path: "expected.safetensors")).tensor("tokens.noisy")
let backend = try OpenCLBackend(Context(device: Device.select()))
let found = try logits(of: tokens, model: golden, on: backend)
let expected = try logits(of: tokens, model: golden, on: ReferenceBackend())

let worst = zip(found, expected).map { abs($0 - $1) / (1 + abs($1)) }.max() ?? .infinity
print("Consumer: \(found.count) logits on \(backend.identity.device), at most \(worst) from the reference")
guard found.count == expected.count, worst <= 1e-4 else { exit(1) }

// MARK: - The README's example, with a model made for it

let folder = FileManager.default.temporaryDirectory.appending(path: "smdim-consumer-\(UUID().uuidString)")
defer { try? FileManager.default.removeItem(at: folder) }
let tokenizer = REMITokenizer()
let configuration = ModelConfiguration(.tiny, vocabularySize: tokenizer.vocabulary.count)
try ModelFolder.write(
    configuration, weights: configuration.initialWeights(seed: 0), isTrained: false,
    tokenizer: Data(tokenizer.configuration.tokenizerJSON()), readme: "", to: folder)

let model = try TokenModel(folder, on: backend)
var settings = SamplingSettings(seed: 7)
settings.steps = 4
for (index, piece) in try model.generate(length: 64, settings: settings).enumerated() {
    let path = folder.appending(path: "\(index).mid").path
    try piece.file.write(to: path)
    print("Consumer: \(piece.summary.notes) notes by an untrained model")
    guard try MIDIFile.read(path: path).file.notes().pitched.count == piece.summary.notes else { exit(1) }
}
