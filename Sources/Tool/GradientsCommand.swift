import ArgumentParser
import ComputeCore
import Foundation
import SMDIM

struct Gradients: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The loss of denoising given tokens and its gradient by every weight.")

    @Option(help: "Model folder.")
    var model: String

    @Option(help: "Safetensors file with tokens.noisy, tokens.clean and mask, I32 [B, L].")
    var input: String

    @Option(name: .shortAndLong, help: "Safetensors file for loss, F32 [1], and grad.<name>.")
    var output: String

    @OptionGroup var device: DeviceOptions

    func run() throws {
        let backend = try device.backend()
        let (configuration, weights) = try modelWeights(model)
        let gradients = try naming(input) {
            let file = try Safetensors(contentsOf: URL(filePath: input))
            return try TokenDenoiser(configuration, purpose: .training).gradients(
                noisy: file.tensor("tokens.noisy"), clean: file.tensor("tokens.clean"), mask: file.tensor("mask"),
                weights: weights, on: backend)
        }
        try Safetensors.write(gradients, to: URL(filePath: output))
        try Terminal.result("\(output): loss and \(gradients.count - 1) gradients")
    }
}
