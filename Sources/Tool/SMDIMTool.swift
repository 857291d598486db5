import ArgumentParser
import Diffusion
import Foundation
import Music
import OpenCLBackend
import Pipeline

/// The command `smdim`: it parses, calls the library and prints.
@main
struct SMDIMTool: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "smdim",
        abstract: "Samples symbolic music with the SMDIM diffusion model on any OpenCL device.",
        discussion: """
            --device takes an index, a part of a name, gpu, cpu or reference; without it SMDIM_DEVICE decides, else \
            the first GPU, else the first CPU device.
            """,
        version: version,
        groupedSubcommands: [
            CommandGroup(
                name: "Music",
                subcommands: [
                    Generate.self, Infill.self, Extend.self, Harmonise.self, Complete.self, Vary.self, Tokenize.self,
                    Detokenize.self,
                ]),
            CommandGroup(
                name: "Models", subcommands: [Init.self, Logits.self, Train.self, Evaluate.self, Gradients.self]),
            CommandGroup(
                name: "Devices",
                subcommands: [Devices.self, Verify.self, Tune.self, Bench.self, FirstStep.self, Rounds.self]),
        ])

    /// Exit codes: 0 done, 2 a wrong command line, 1 everything else; errors are one line on stderr.
    static func main() {
        ThreadAffinity.pinThreads()
        do {
            defer { OpenCLBackend.releaseProcessPrograms() }
            var command = try parseAsRoot()
            try command.run()
        } catch {
            if let text = aboutOption(error) {
                Terminal.error(text)
                Foundation.exit(2)
            }
            switch exitCode(for: error) {
            case .success:
                do { try Terminal.result(fullMessage(for: error)) } catch {
                    Terminal.error("\(error)")
                    Foundation.exit(1)
                }
            case .validationFailure:
                Terminal.error(message(for: error))
                Foundation.exit(2)
            case let code:
                if !(error is ExitCode) { Terminal.error("\(error)") }
                Foundation.exit(code == .failure ? 1 : code.rawValue)
            }
        }
    }

    /// What the library says of an option's value that cannot be: the command line is wrong. It calls options as we do.
    private static func aboutOption(_ error: any Error) -> String? {
        switch error {
        case PipelineError.option, SamplingError.option, SamplingError.stepCount: "--\(error)"
        case is KeyError, is GrammarError: "\(error)"
        default: nil
        }
    }
}
