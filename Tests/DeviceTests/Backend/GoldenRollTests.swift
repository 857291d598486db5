import ComputeCore
import Foundation
import OpenCLBackend
import ReferenceBackend
import SMDIM
import Testing
import _ParityKit

/// The golden model of rolls: `Tests/Golden/roll`, whose logits PyTorch computed in float64.
private enum GoldenRoll {
    static func check(on backend: any Backend) throws {
        let folder = try ModelFolder<RollConfiguration>(Golden.folder("roll"))
        let expected = try Safetensors(contentsOf: Golden.folder("roll").appending(path: "expected.safetensors"))
        let shape = try expected.tensor("cells").shape
        let plan = try RollDenoiser(folder.configuration).plan(batch: shape[0], steps: shape[1])
        let executable = try backend.compile(plan, parameters: backend.prepare(folder.weights()))
        for name in ["cells", "known", "times"] { try executable.write(name, expected.tensor(name)) }
        try executable.run()
        let (found, reference) = try (executable.read("logits").floats(), expected.tensor("logits").floats())
        try #require(found.count == reference.count)
        let worst = zip(found, reference).map { abs($0 - $1) / (1e-4 + 1e-4 * abs($1)) }.max() ?? .nan
        #expect(worst <= 1, "\(worst) times the bound of 1e-4, absolute and relative")
        #expect(reference.contains { abs($0) > 0.1 })
    }
}

@Suite struct GoldenRollOnReference {
    @Test func logitsMatchPyTorch() throws { try GoldenRoll.check(on: ReferenceBackend()) }
}

extension OnDevice {
    @Suite struct GoldenRolls {
        @Test(arguments: KernelPath.allCases) func logitsMatchPyTorch(_ path: KernelPath) throws {
            try GoldenRoll.check(on: TestDevice.backend(path))
        }
    }
}
