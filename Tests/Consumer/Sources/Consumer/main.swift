import ComputeCore
import Foundation
import OpenCLBackend
import OpenCLRuntime
import ReferenceBackend
import SMDIM

/// The golden model's logits on `backend`, as any program that links the library would compute them.
func logits(of tokens: HostTensor, model: URL, on backend: any Backend) throws -> [Float] {
    let folder = try ModelFolder(model)
    return try TokenDenoiser(folder.configuration)
        .logits(of: tokens, weights: folder.weights(), on: backend).floats()
}

let golden = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../Golden/g1").standardized
let tokens = try Safetensors(contentsOf: golden.appending(path: "expected.safetensors")).tensor("tokens.noisy")
let device = try OpenCLBackend(Context(device: Device.select()))
let found = try logits(of: tokens, model: golden, on: device)
let expected = try logits(of: tokens, model: golden, on: ReferenceBackend())

let worst = zip(found, expected).map { abs($0 - $1) / (1 + abs($1)) }.max() ?? .infinity
print("Consumer: \(found.count) logits on \(device.identity.device), at most \(worst) from the reference")
exit(found.count == expected.count && worst <= 1e-4 ? 0 : 1)
