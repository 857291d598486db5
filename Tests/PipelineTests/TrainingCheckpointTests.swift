import ComputeCore
import Foundation
import Pipeline
import SMDIM
import Testing

@Suite struct TrainingCheckpointTests {
    @Test func resumedRunHasTheBitsOfOneThatWasNot() throws {
        let whole = try TinyRun()
        let trainer = try whole.trainer()
        for _ in 0..<6 { _ = try trainer.takeStep() }
        try trainer.writeCheckpoint(to: whole.folder)

        let halves = try TinyRun()
        let first = try halves.trainer()
        for _ in 0..<3 { _ = try first.takeStep() }
        try first.writeCheckpoint(to: halves.folder)
        let second = try halves.resumed()
        #expect(second.step == 3 && second.options == TinyRun.options)
        for _ in 0..<3 { _ = try second.takeStep() }
        try second.writeCheckpoint(to: halves.folder)
        #expect(try whole.state() == halves.state())
    }

    @Test func lastTwoCheckpointsAreKept() throws {
        let run = try TinyRun()
        let trainer = try run.trainer()
        for _ in 0..<3 {
            _ = try trainer.takeStep()
            try trainer.writeCheckpoint(to: run.folder)
        }
        #expect(try run.checkpoints() == ["checkpoint-00000002", "checkpoint-00000003"])
    }

    /// From 10⁸ on a step has nine digits, and as text comes before those of eight.
    @Test func checkpointsAreInTheOrderOfTheirSteps() throws {
        let run = try TinyRun()
        try run.writeCheckpoint { $0.replacing("\"steps\" : 8", with: "\"steps\" : 100000008") }
        let first = run.folder.appending(path: "checkpoint-00000001")
        let training = first.appending(path: "training.json")
        let text = try String(contentsOf: training, encoding: .utf8)
        try text.replacing("\"step\" : 1", with: "\"step\" : 99999999")
            .write(to: training, atomically: true, encoding: .utf8)
        try FileManager.default.moveItem(at: first, to: run.folder.appending(path: "checkpoint-99999999"))
        let trainer = try run.resumed()
        for step in [100_000_000, 100_000_001] {
            _ = try trainer.takeStep()
            try trainer.writeCheckpoint(to: run.folder)
            #expect(try run.resumed().step == step)
        }
        #expect(try run.checkpoints() == ["checkpoint-100000000", "checkpoint-100000001"])
    }

    /// A run that is killed while it writes leaves a folder of another step than the run that goes on.
    @Test func whatAKilledRunLeftIsRemoved() throws {
        let run = try TinyRun()
        for name in [".checkpoint-00000007", ".checkpoint-00000001", ".checkpoint-mine"] {
            try FileManager.default.createDirectory(
                at: run.folder.appending(path: name).appending(path: "part"), withIntermediateDirectories: true)
        }
        try run.trainer().writeCheckpoint(to: run.folder)
        #expect(try run.checkpoints() == [".checkpoint-mine", "checkpoint-00000000"])
    }

    @Test func aCopyOfACheckpointUnderAnotherNameIsLeftAlone() throws {
        let run = try TinyRun()
        let trainer = try run.trainer()
        let files = FileManager.default
        for _ in 0..<4 {
            _ = try trainer.takeStep()
            try trainer.writeCheckpoint(to: run.folder)
            for copy in ["checkpoint-00000001-kept", "checkpoint-best"]
            where !files.fileExists(atPath: run.folder.appending(path: copy).path) {
                try files.copyItem(
                    at: run.folder.appending(path: "checkpoint-00000001"), to: run.folder.appending(path: copy))
            }
        }
        #expect(
            try run.checkpoints() == [
                "checkpoint-00000001-kept", "checkpoint-00000003", "checkpoint-00000004", "checkpoint-best",
            ])
        #expect(try run.resumed().step == 4)
    }

    @Test func placeThatCannotHoldACheckpointIsNamed() throws {
        let run = try TinyRun()
        let file = run.folder.appending(path: "0.mid")
        #expect {
            try run.trainer().writeCheckpoint(to: file)
        } throws: { error in
            guard case .unwritable(let place, _) = error as? ModelFileError else { return false }
            return place == file.appending(path: "checkpoint-00000000").path
        }
    }

    @Test func damagedCheckpointIsNamed() throws {
        let run = try TinyRun()
        #expect(throws: TrainingError.self) {
            try run.resumed()
        }
        let trainer = try run.trainer()
        _ = try trainer.takeStep()
        try trainer.writeCheckpoint(to: run.folder)
        let state = run.folder.appending(path: "checkpoint-00000001/state.safetensors")
        try Data(contentsOf: state).dropLast(7).write(to: state)
        #expect(throws: ModelFileError.self) {
            try run.resumed()
        }
    }

    @Test(arguments: ["firstMoment", "secondMoment", "average"])
    func checkpointWithoutMomentsOrAverageIsNamed(_ slot: String) throws {
        let run = try TinyRun()
        let trainer = try run.trainer()
        _ = try trainer.takeStep()
        try trainer.writeCheckpoint(to: run.folder)
        let file = run.folder.appending(path: "checkpoint-00000001/state.safetensors")
        let state = try Safetensors(contentsOf: file)
        let left = state.entries.keys.filter { $0 != "\(slot).norm.weight" }
        try #require(left.count == state.entries.count - 1)
        try Safetensors.write(Dictionary(uniqueKeysWithValues: left.map { ($0, try state.tensor($0)) }), to: file)
        #expect(
            throws: TrainingError.checkpoint(
                file.deletingLastPathComponent().path, expected: "norm.weight (\(slot)) [8]", found: "none")
        ) {
            try run.resumed()
        }
    }

    /// Whoever resumes gives no options, so what is wrong with them is said of the checkpoint.
    @Test func optionOfACheckpointThatCannotBeNamesIt() throws {
        let run = try TinyRun()
        try run.writeCheckpoint { $0.replacing("\"length\" : 16", with: "\"length\" : 17") }
        #expect(
            throws: TrainingError.checkpoint(
                run.folder.appending(path: "checkpoint-00000001/training.json").path + ": length",
                expected: "a multiple of the stride 4", found: "17")
        ) {
            try run.resumed()
        }
    }

    /// The configuration is a text within training.json; there is no config.json.
    @Test(arguments: [
        (#"\"d_state\": 2"#, #"\"d_state\": 0"#, "d_state", "an integer in 1...64", "0"),
        (#""configuration" : "{"#, #""configuration" : "{{"#, "byte 1", "JSON", "no string"),
    ])
    func configurationOfACheckpointThatCannotBeNamesIt(
        _ old: String, _ new: String, _ part: String, _ expected: String, _ found: String
    ) throws {
        let run = try TinyRun()
        try run.writeCheckpoint { $0.replacing(old, with: new) }
        #expect(
            throws: TrainingError.checkpoint(
                run.folder.appending(path: "checkpoint-00000001/training.json").path + ": configuration: \(part)",
                expected: expected, found: found)
        ) {
            try run.resumed()
        }
    }

    @Test func stateOfIntegersIsNamed() throws {
        let run = try TinyRun()
        try run.trainer().writeCheckpoint(to: run.folder)
        let file = run.folder.appending(path: "checkpoint-00000000/state.safetensors")
        let state = try Safetensors(contentsOf: file)
        var tensors = try Dictionary(uniqueKeysWithValues: state.entries.keys.map { ($0, try state.tensor($0)) })
        tensors["average.norm.weight"] = try HostTensor([8], [Int32](repeating: 1, count: 8))
        try Safetensors.write(tensors, to: file)
        #expect(
            throws: ModelFileError.malformed(
                file: "state.safetensors", part: "average.norm.weight", expected: "F32, F16 or BF16", found: "I32")
        ) {
            try run.resumed()
        }
    }

    /// Numbers that would overflow a counter of draws or a tensor's size, or fill the host's memory; a key given twice.
    @Test(arguments: [
        ("\"step\" : 1", "\"step\" : -1"), ("\"step\" : 1", "\"step\" : 9"),
        ("\"step\" : 1", "\"step\" : -9223372036854775808"), ("\"steps\" : 8", "\"steps\" : -1"),
        ("\"steps\" : 8", "\"steps\" : 4294967296"), ("\"batch\" : 4", "\"batch\" : 2305843009213693952"),
        ("\"validWindows\" : 1", "\"validWindows\" : 9223372036854775807"), ("\"length\" : 16", "\"length\" : 0"),
        ("\"length\" : 16", "\"length\" : 16, \"length\" : 16"),
    ])
    func numbersOfACheckpointThatCannotBeAreRefused(_ old: String, _ new: String) throws {
        let run = try TinyRun()
        // The micro-batch follows the batch, which has to be a multiple of it.
        try run.writeCheckpoint {
            $0.replacing(old, with: new).replacing("\"microBatch\" : 2", with: "\"microBatch\" : 1")
        }
        #expect {
            let again = try run.resumed()
            _ = try again.takeStep()
        } throws: { error in
            error is TrainingError || error is PipelineError
        }
    }

    /// JSON has no infinity.
    @Test func maximumNormOfInfinityComesBack() throws {
        let run = try TinyRun()
        var options = TinyRun.options
        options.maximumNorm = .infinity
        let trainer = try run.trainer(options)
        _ = try trainer.takeStep()
        try trainer.writeCheckpoint(to: run.folder)
        let again = try run.resumed()
        #expect(again.options == options)
        #expect(try again.takeStep().loss == trainer.takeStep().loss)
    }

    @Test func everyOptionComesBack() throws {
        var options = TrainingOptions()
        (options.steps, options.batch, options.microBatch, options.length) = (3, 4, 2, 16)
        (options.rate, options.warmUp, options.finalRate, options.decay) = (0.25, 5, 0.5, 0.125)
        (options.maximumNorm, options.averageDecay, options.weighting, options.sweptWindows) = (2, 0.75, .elbo, 0.5)
        (options.cellLoss, options.precision, options.seed) = (.absolute, .bfloat16, .max)
        (options.checkpointEvery, options.validWindows) = (6, 7)
        let defaults = Mirror(reflecting: TrainingOptions()).children
        for (option, other) in zip(Mirror(reflecting: options).children, defaults) {
            try #require("\(option.value)" != "\(other.value)", "\(option.label ?? "") has its default")
        }
        let again = try JSONDecoder().decode(TrainingOptions.self, from: JSONEncoder().encode(options))
        #expect(again == options)
    }

    @Test func checkpointOfBeforeThereWereOptionsHasTheirDefaults() throws {
        let run = try TinyRun()
        try run.writeCheckpoint { text in
            text.split(separator: "\n").filter { line in
                !["cellLoss", "precision", "sweptWindows"].contains { line.contains("\"\($0)\"") }
            }.joined(separator: "\n")
        }
        let again = try run.resumed()
        #expect(again.options == TinyRun.options)
    }
}
