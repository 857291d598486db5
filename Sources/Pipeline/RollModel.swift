public import ComputeCore
public import Diffusion
public import Foundation
import Music
public import SMDIM

/// A piano-roll denoiser with its weights on a device.
///
/// A model never changes, so any number of tasks may use one at once.
public struct RollModel: Sendable {
    /// The name of the folder.
    public let name: String
    /// The sizes.
    public let configuration: RollConfiguration
    /// Whether the weights were never trained.
    public let isUntrained: Bool
    /// Where it runs.
    public let backend: any Backend
    /// The weights there.
    public let parameters: any ParameterStore
    /// The network.
    public let denoiser: RollDenoiser

    /// Loads a model folder: `config.json` and `model.safetensors`.
    ///
    /// - Throws: ``ModelFileError``, or what the backend throws.
    public init(_ url: URL, on backend: any Backend, precision: Precision = .float32) throws {
        let folder = try ModelFolder<RollConfiguration>(url)
        name = url.lastPathComponent
        configuration = folder.configuration
        guard configuration.pitchCount == PianoRoll.pitchCount else {
            throw ModelFileError.configuration(
                key: "n_pitches", expected: "\(PianoRoll.pitchCount)", found: "\(configuration.pitchCount)")
        }
        isUntrained = try folder.isUntrained()
        self.backend = backend
        parameters = try backend.prepare(folder.weights(precision: precision))
        denoiser = RollDenoiser(configuration, precision: precision)
    }
}

/// How rolls are drawn: what every call of a ``RollModel`` takes.
public struct RollSettings: Hashable, Sendable {
    /// K, the reverse steps.
    public var steps = 32
    /// Which law leads back.
    public var sampler = BinomialProcess.Sampler.posterior
    /// How noise grows with time.
    public var schedule = BinomialProcess.Schedule.linear
    /// T, dividing the logits; 0 takes every cell whose probability is at least ½.
    public var temperature: Float = 1
    /// Names every random number.
    public var seed: UInt64
    /// How many pieces.
    public var count = 1
    /// The number of the first piece; piece i is the same whatever ``count`` is.
    public var firstSample = 0
    /// How many pieces are drawn at once. It changes memory and speed, never a piece.
    public var batch = 4

    /// The defaults under a seed.
    public init(seed: UInt64) {
        self.seed = seed
    }

    /// Checks every setting.
    ///
    /// - Throws: ``PipelineError/option(name:expected:found:)`` or ``SamplingError``.
    public func validate() throws {
        try PipelineError.require(count: count, firstSample: firstSample, batch: batch)
        // A network knows as many noise levels as it was made for; any number will do here.
        try options(timeCount: 1).validate()
    }

    /// What a chain needs to know.
    func options(timeCount: Int, start: Double = 1) -> BinomialChain.Options {
        var options = BinomialChain.Options(timeCount: timeCount, seed: seed)
        options.stepCount = steps
        options.start = start
        options.sampler = sampler
        options.temperature = temperature
        return options
    }
}

// MARK: - Sampling

/// A roll of which some cells are to be drawn.
struct PartialRoll {
    /// The cells, those to be drawn included: what a chain that starts before time 1 starts from.
    var cells: [Bool]
    /// Which cells stay.
    var known: [Bool]
    /// The steps that hold cells to draw.
    let freeSteps: Range<Int>
    /// Where a chain starts, in (0, 1].
    var start = 1.0

    var stepCount: Int { cells.count / PianoRoll.width }

    /// The windows of at most `limit` steps in which the free ones are drawn, one after the other: in the middle of the only one if
    /// it holds them all, else each window begins in the middle of the one before, whose cells it keeps.
    func windows(limit: Int) -> [Range<Int>] {
        guard stepCount > limit else { return [0..<stepCount] }
        func window(from start: Int) -> Range<Int> {
            let bounded = max(0, min(start, stepCount - limit))
            return bounded..<bounded + limit
        }
        if freeSteps.count <= limit {
            let middle = (freeSteps.lowerBound + freeSteps.upperBound) / 2
            let bar = (middle - limit / 2) / PianoRoll.stepsPerBar * PianoRoll.stepsPerBar
            // Not so early that a window that is no whole number of bars ends before the free steps do.
            return [window(from: max(bar, freeSteps.upperBound - limit))]
        }
        var windows = [window(from: freeSteps.lowerBound)]
        while let last = windows.last, last.upperBound < freeSteps.upperBound {
            windows.append(window(from: last.lowerBound + max(limit / 2, 1)))
        }
        return windows
    }
}

extension RollModel {
    /// A roll as it was drawn.
    struct Draw {
        var cells: [Bool]
        let sample: Int
        var nearTies = 0
        var networkCalls = 0
    }

    /// Draws the free cells of a roll for each of the settings' samples, in batches.
    func complete(
        _ roll: PartialRoll, settings: RollSettings, progress: ((SamplingProgress) -> Void)?
    ) throws -> [Draw] {
        try settings.validate()
        let windows = roll.windows(limit: configuration.windowSteps)
        let batches = stride(from: 0, to: settings.count, by: settings.batch).map { first in
            first..<min(first + settings.batch, settings.count)
        }
        let total = batches.count * windows.count * settings.steps
        var (draws, done): ([Draw], Int) = ([], 0)
        var chain: (size: Int, chain: BinomialChain)?
        for samples in batches {
            var batch = samples.map { Draw(cells: roll.cells, sample: settings.firstSample + $0) }
            if chain?.size != samples.count {
                chain = (
                    samples.count, try makeChain(samples.count, steps: windows[0].count, roll.start, settings)
                )
            }
            guard let current = chain?.chain else { break }
            var known = roll.known
            for (number, window) in windows.enumerated() {
                let finished = done
                try current.draw(
                    window, number: number, known: known, in: &batch,
                    progress: progress.map { report in
                        { step, _ in report(SamplingProgress(done: finished + step, total: total)) }
                    })
                done += settings.steps
                for cell in window.cells { known[cell] = true }
            }
            draws += batch.map { draw in
                var draw = draw
                draw.networkCalls = windows.count * settings.steps
                return draw
            }
        }
        return draws
    }

    /// What draws a roll of so many bars from nothing when it is called: a whole chain, for measurements.
    ///
    /// - Throws: ``SamplingError``, or what the backend throws.
    public func chain(bars: Int, steps: Int) throws -> () throws -> Void {
        var settings = RollSettings(seed: 0)
        settings.steps = steps
        let chain = try makeChain(1, steps: bars * PianoRoll.stepsPerBar, 1, settings)
        let silence = [[Float](repeating: 0, count: chain.cellCount)]
        return { _ = try chain.run(from: silence, known: silence) }
    }

    private func makeChain(
        _ count: Int, steps: Int, _ start: Double, _ settings: RollSettings
    ) throws -> BinomialChain {
        let batch = BinomialChain.Batch(
            count: count, steps: configuration.paddedSteps(steps), width: configuration.cellCount,
            fold: configuration.fold)
        let process = try BinomialProcess(
            priorDensities: configuration.priorDensities.map(Double.init), schedule: settings.schedule)
        let options = settings.options(timeCount: configuration.timeCount, start: start)
        return try BinomialChain(batch, process: process, options: options, on: backend, parameters: parameters) {
            cells, known, times, plan in
            try denoiser.record(RollDenoiser.Input(cells: cells, known: known, times: times), into: &plan)
                .reshaped(to: cells.shape)
        }
    }
}

extension BinomialChain {
    /// Draws a window of each roll in place. What is missing to a whole latent position is given silence.
    fileprivate func draw(
        _ window: Range<Int>, number: Int, known: [Bool], in batch: inout [RollModel.Draw],
        progress: ((_ done: Int, _ total: Int) -> Void)?
    ) throws {
        let padding = cellCount - window.cells.count
        func row(_ cells: [Bool], filler: Float) -> [Float] {
            cells[window.cells].map { $0 ? 1 : 0 } + [Float](repeating: filler, count: padding)
        }
        let result = try run(
            from: batch.map { row($0.cells, filler: 0) }, known: batch.map { _ in row(known, filler: 1) },
            firstSample: batch[0].sample, run: number, progress: progress)
        for (index, cells) in result.cells.enumerated() {
            batch[index].cells.replaceSubrange(window.cells, with: cells.dropLast(padding).map { $0 > 0.5 })
            batch[index].nearTies += result.nearTies[index]
        }
    }
}

extension Range<Int> {
    /// The cells of these steps.
    var cells: Range<Int> { lowerBound * PianoRoll.width..<upperBound * PianoRoll.width }
}
