import Foundation
import Music
import Pipeline
import Synchronization

/// Takes steps, says how it goes, writes checkpoints.
struct TrainingClock<Task: TrainingTask> {
    private let trainer: Trainer<Task>
    private let log: URL

    init(_ trainer: Trainer<Task>, log: URL) {
        self.trainer = trainer
        self.log = log
    }

    private struct Entry: Encodable {
        let step: Int
        let loss: Double
        let gradientNorm: Double
        let positionsPerSecond: Double
        let valid: Double?
        let measure: String
    }

    /// Runs to the last step or to an interrupt; both end with a checkpoint.
    func run(until interrupt: Interrupt, checkpoints: URL) throws {
        try forgetLaterSteps()
        var sums = (loss: 0.0, seconds: 0.0, steps: 0)
        let start = (clock: ContinuousClock.now, step: trainer.step)
        while trainer.step < trainer.options.steps && !interrupt.hasCome {
            let begin = ContinuousClock.now
            let progress = try trainer.takeStep()
            sums = (sums.loss + progress.loss, sums.seconds + (ContinuousClock.now - begin).seconds, sums.steps + 1)
            let isCheckpoint =
                progress.step.isMultiple(of: trainer.options.checkpointEvery) || progress.step == trainer.options.steps
            guard isCheckpoint || progress.step.isMultiple(of: 20) else { continue }
            let rate = Double(sums.steps * trainer.options.batch * trainer.options.length) / sums.seconds
            let valid = isCheckpoint ? try trainer.validationMetric() : nil
            let mean = sums.loss / Double(sums.steps)
            try append(
                Entry(
                    step: progress.step, loss: mean, gradientNorm: progress.gradientNorm, positionsPerSecond: rate,
                    valid: valid, measure: Task.metric))
            let elapsed = (ContinuousClock.now - start.clock).seconds
            let left = elapsed / Double(progress.step - start.step) * Double(trainer.options.steps - progress.step)
            Terminal.note(
                String(
                    format: "step %d/%d  loss %.4f  norm %.2f  %.0f positions/s  %@%.0f min left", progress.step,
                    trainer.options.steps, mean, progress.gradientNorm, rate,
                    valid.map { String(format: "valid %.4f \(Task.metric)  ", $0) } ?? "", left / 60))
            sums = (0, 0, 0)
            if isCheckpoint { try trainer.writeCheckpoint(to: checkpoints) }
        }
        if interrupt.hasCome { try trainer.writeCheckpoint(to: checkpoints) }
    }

    /// Removes from the log the steps that are taken again, after the checkpoint that the run goes on from, and a line in which
    /// a run was killed.
    private func forgetLaterSteps() throws {
        guard FileManager.default.fileExists(atPath: log.path) else { return }
        let lines = try WholeFile.lines(log.path)
        let kept = lines.filter { line in
            let logged = try? JSONDecoder().decode(LoggedStep.self, from: Data(line.utf8))
            return logged.map { $0.step <= trainer.step } ?? false
        }
        if kept.count < lines.count { try WholeFile.write([UInt8](kept.map { $0 + "\n" }.joined().utf8), to: log.path) }
    }

    private func append(_ entry: Entry) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let line = try encoder.encode(entry) + Data("\n".utf8)
        if let handle = try? FileHandle(forWritingTo: log) {
            try handle.seekToEnd()
            try handle.write(contentsOf: line)
            try handle.close()
        } else {
            try line.write(to: log)
        }
    }
}

/// What tells a line of the log from others.
private struct LoggedStep: Decodable {
    let step: Int
}

/// Notes the first SIGINT or SIGTERM instead of dying of it; a second one kills as usual.
struct Interrupt {
    private static let flag = Atomic(false)

    init() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                Interrupt.flag.store(true, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
    }

    var hasCome: Bool { Self.flag.load(ordering: .relaxed) }
}
