import ComputeCore
import Foundation
import OpenCLBackend
import OpenCLRuntime
import Testing
import _ParityKit
import _TestSupport

extension OnDevice {
    @Suite struct TuningChoices {
        /// Every height that this or an earlier version may have written.
        private static let productRows = [6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256]
        private static let attentionRows = [6, 8, 12, 16, 24, 32]
        private let shape = ProductShape(rows: 65, outputs: 64, inputs: 128, precision: .float32)

        @Test func fileGivesBackWhatWasWritten() throws {
            let device = try TestDevice.context.get().device
            let file = try TemporaryFolder().url.appending(path: "tuning.json")
            var tuning = Tuning()
            tuning.path = .simple
            for rows in Self.productRows {
                tuning.products[ProductShape(rows: rows, outputs: 64, inputs: 128, precision: .float32)] = rows
            }
            for rows in Self.attentionRows {
                tuning.attention[AttentionShape(length: rows, heads: 8, width: 64, precision: .bfloat16)] = rows
            }
            let tuner = Tuner(Plan(), parameters: [], on: try TestDevice.context.get()) { _ in }
            for parameters in tuner.candidates.map(\.parameters) {
                tuning.clblast = parameters
                tuning.origin = nil
                try tuning.write(to: file, for: device)
                tuning.origin = file.path
                #expect(try Tuning.load(file, for: device) == tuning)
            }
        }

        /// Changes of a set of 64 × 64 by 4 × 4, 32 deep, vectors 8 wide. CLBlast checks none, and a driver may crash on them.
        @Test(
            arguments: [
                (["MWG": 0], "MWG 0"), (["NWG": 0], "NWG 0"), (["KWG": 0], "KWG 0"), (["MDIMA": 0], "MDIMA 0"),
                (["VWN": -8], "VWN -8"), (["MWG": .max], "MWG \(Int.max)"), (["STRM": 2], "STRM 2"),
                (["GEMMK": 1], "GEMMK 1"), (["EXTRA": 1], "EXTRA 1"), (["KWI": nil], "no KWI"),
                (["KWI": 64], "KWG is no multiple of KWI"), (["MDIMC": 16], "MWG is no multiple of MDIMC · VWM"),
                (["NDIMC": 16], "NWG is no multiple of NDIMC · VWN"),
                (["MDIMA": 16], "MWG is no multiple of MDIMA · VWM"),
                (["NDIMB": 16], "NWG is no multiple of NDIMB · VWN"),
                (["MDIMA": 32, "VWM": 1], "MDIMC · NDIMC is no multiple of MDIMA"),
                (["NDIMB": 32, "VWN": 1], "MDIMC · NDIMC is no multiple of NDIMB"),
                (["KWG": 4, "MDIMA": 2], "KWG · MDIMA is no multiple of MDIMC · NDIMC"),
                (["KWG": 4, "NDIMB": 2], "KWG · NDIMB is no multiple of MDIMC · NDIMC"),
                (["KWI": 16], "KWI · MWG · NWG is more than 2048 times MDIMC · NDIMC"),
            ] as [([String: Int?], String)])
        func parametersThatCLBlastCannotTakeAreRefused(_ changes: [String: Int?], _ flaw: String) throws {
            let context = try TestDevice.context.get()
            let file = try TemporaryFolder().url.appending(path: "tuning.json")
            var tuning = Tuning()
            tuning.clblast = Tuner(Plan(), parameters: [], on: context) { _ in }.candidates[0].parameters
            for (name, value) in changes { tuning.clblast["Xgemm"]?[name] = value }
            try tuning.write(to: file, for: context.device)
            let refusal = Tuning.FileError.malformed(file: file.path, reason: "clblast Xgemm: \(flaw)")
            #expect(throws: refusal) { try Tuning.load(file, for: context.device) }
        }

        @Test(arguments: ["GemmRoutine", "Xaxpy"])
        func onlyKernelsOfTheProductAreTaken(_ kernel: String) throws {
            let device = try TestDevice.context.get().device
            let file = try TemporaryFolder().url.appending(path: "tuning.json")
            var tuning = Tuning()
            tuning.clblast = [kernel: ["XGEMM_MIN_INDIRECT_SIZE": -1]]
            try tuning.write(to: file, for: device)
            let error = #expect(throws: Tuning.FileError.self) { try Tuning.load(file, for: device) }
            #expect(error?.description.contains("clblast \(kernel): ") == true)
        }

        @Test func backendTakesThePathThatWasMeasuredAndSaysSo() throws {
            var tuning = Tuning()
            tuning.path = .simple
            tuning.origin = "a file"
            let backend = OpenCLBackend(try TestDevice.context.get(), tuning: tuning)
            #expect(backend.path == .simple)
            #expect(backend.identity.kernelPath == "simple, tuned by a file")
        }

        @Test(arguments: [
            ("\"device\" : \"", "\"device\" : \"another "), ("128\n", "7\n"), ("65 64", "65 -64"), ("simple", "fast"),
        ])
        func fileOfAnotherDeviceOrWithUnknownChoicesIsRefused(_ old: String, _ new: String) throws {
            let device = try TestDevice.context.get().device
            let file = try TemporaryFolder().url.appending(path: "tuning.json")
            var tuning = Tuning()
            tuning.path = .simple
            tuning.products[shape] = 128
            try tuning.write(to: file, for: device)
            let text = try String(contentsOf: file, encoding: .utf8)
            let changed = text.replacing(old, with: new)
            try #require(changed != text)
            try changed.write(to: file, atomically: true, encoding: .utf8)
            #expect(throws: Tuning.FileError.self) { try Tuning.load(file, for: device) }
        }

        @Test(arguments: [("nowhere.json", "exist"), ("", "directory")])
        func fileThatCannotBeReadIsNotTakenForAnotherKind(_ name: String, _ reason: String) throws {
            let folder = try TemporaryFolder()
            let error = #expect(throws: Tuning.FileError.self) {
                try Tuning.load(folder.url.appending(path: name), for: TestDevice.context.get().device)
            }
            let text = try #require(error).description
            #expect(text.contains(": cannot be read: ") && text.contains(reason), "\(text)")
        }

        /// Rows of a work-item change which work-item sums an element, never the order of its sum.
        @Test(arguments: productRows)
        func rowsOfAWorkItemChangeNoBit(_ rows: Int) throws {
            let context = try TestDevice.context.get()
            let parityCase = try #require(ParityCase.all.first { $0.description.contains("M=65 N=64 K=128") })
            let instance = try parityCase.make(1)
            var tuning = Tuning()
            tuning.products[shape] = rows
            let plain = try instance.run(on: OpenCLBackend(context, path: .vector)).outputs
            #expect(try instance.run(on: OpenCLBackend(context, path: .vector, tuning: tuning)).outputs == plain)
        }

        /// Queries of a work-item do not change how one of them is computed. A head of 34 features is not for matrix tiles.
        @Test(arguments: attentionRows, ["d=34", "d=34 lse bf16"])
        func queriesOfAWorkItemChangeNoBit(_ queries: Int, _ name: String) throws {
            let context = try TestDevice.context.get()
            let parityCase = try #require(
                ParityCase.all.first { $0.description == "attention B=1 S=127 H=3 \(name)" })
            let instance = try parityCase.make(1)
            let untuned = OpenCLBackend(context, path: .vector)
            guard untuned.supports(parityCase.precision) else { return }
            let plain = try instance.run(on: untuned).outputs
            var tuning = Tuning()
            tuning.attention[
                AttentionShape(length: 127, heads: 3, width: 34, precision: parityCase.precision)] = queries
            #expect(try instance.run(on: OpenCLBackend(context, path: .vector, tuning: tuning)).outputs == plain)
        }
    }
}
