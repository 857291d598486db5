public import ComputeCore
import Diffusion
public import Foundation
import Music
public import SMDIM

/// Training a ``RollDenoiser`` by binomial diffusion.
///
/// So that the network learns to lean on what is given, a window shows it clean cells at every noise level: the melody of half of
/// the windows, all bars but some of a quarter, nothing of the others.
///
/// Whatever a cell costs in training, it is judged by the cross-entropy of the free cells of held-out windows, in bits per time
/// step that has any, so that neither what fills a short song nor whole bars that are given count: for each song over eight
/// windows with times stratified over (0, 1], and then the mean over the songs.
public struct RollTask: TrainingTask {
    public static let metric = "bits per step"
    public let configuration: RollConfiguration
    public let tokenizerJSON: Data? = nil
    /// Windows of a valid song, each with a time of its own.
    public static let validationWindows = 8

    private let songs: [RollCorpus.Song]
    private let validSongs: [RollCorpus.Song]
    private let process: BinomialProcess
    private let options: TrainingOptions

    public static func validate(_ options: TrainingOptions, for configuration: RollConfiguration) throws {
        guard configuration.pitchCount == PianoRoll.pitchCount else {
            throw ModelFileError.configuration(
                key: "n_pitches", expected: "\(PianoRoll.pitchCount)", found: "\(configuration.pitchCount)")
        }
        guard options.length % configuration.fold == 0, options.length % PianoRoll.stepsPerBar == 0 else {
            throw PipelineError.option(
                name: "length", expected: "a multiple of the \(PianoRoll.stepsPerBar) steps of a bar and of fold",
                found: "\(options.length)")
        }
        guard options.weighting == .mean else {
            throw PipelineError.option(
                name: "weighting", expected: "mean for piano rolls", found: "\(options.weighting)")
        }
        guard options.sweptWindows == 0 else {
            throw PipelineError.option(name: "swept", expected: "0 for piano rolls", found: "\(options.sweptWindows)")
        }
    }

    public init(_ configuration: RollConfiguration, corpus: RollCorpus, options: TrainingOptions) throws {
        try Self.validate(options, for: configuration)
        self.configuration = configuration
        self.options = options
        songs = corpus.train
        validSongs = corpus.valid.spread(options.validWindows)
        process = try BinomialProcess(priorDensities: configuration.priorDensities.map(Double.init))
    }

    public static func lossPlan(
        _ configuration: RollConfiguration, windows: Int, options: TrainingOptions, slot: ParameterKey.Slot,
        purpose: RecordingPurpose
    ) throws -> Plan {
        try RollDenoiser(configuration, precision: options.precision(for: purpose), slot: slot, purpose: purpose)
            .lossPlan(
                batch: windows, steps: options.length,
                loss: purpose == .training ? options.cellLoss : .crossEntropy)
    }

    public func batch(step: Int, samples: Range<Int>, times: [Double]) throws -> TrainingBatch {
        try batch(
            samples.map { window(of: songs, seed: options.seed, step: step, sample: $0) }, times: times,
            seed: options.seed, step: step, firstSample: samples.lowerBound)
    }

    public var validationCount: Int { validSongs.count }

    public func validation(_ index: Int) throws -> (batch: TrainingBatch, weights: [Float]) {
        let times = (0..<Self.validationWindows).map { (Double($0) + 0.5) / Double(Self.validationWindows) }
        let windows = times.indices.map { window(of: [validSongs[index]], seed: 0, step: index, sample: $0) }
        let batch = try batch(windows, times: times, seed: 0, step: index, firstSample: 0)
        let freeSteps = windows.reduce(0) { $0 + $1.freeSteps(of: configuration.cellCount) }
        let weight = 1 / (Double(validSongs.count * max(freeSteps, 1)) * log(2))
        return (batch, times.map { _ in Float(weight) })
    }

    private func batch(
        _ windows: [Window], times: [Double], seed: UInt64, step: Int, firstSample: Int
    ) throws -> TrainingBatch {
        let shape: Shape = [windows.count, options.length, configuration.cellCount]
        let positions = options.length / configuration.fold
        let parameters = StepParameters(
            step: Int32(truncatingIfNeeded: step), firstSample: Int32(firstSample), seed: seed)
        let indices = times.map { process.timeIndex($0, count: configuration.timeCount) }
        return TrainingBatch(
            inputs: [
                "clean": try HostTensor(shape, windows.flatMap(\.clean)),
                "known": try HostTensor(shape, windows.flatMap(\.known)),
                "thresholds": try HostTensor(
                    [windows.count, RollConfiguration.planeCount, 4, 2],
                    times.flatMap { process.marginal(at: $0).words }),
                "step": try HostTensor(StepParameters.shape, parameters.words),
                "times": try HostTensor(
                    [windows.count, positions], indices.flatMap { [Int32](repeating: $0, count: positions) }),
            ],
            times: times, countedCells: windows.map { $0.known.count { $0 == 0 } }, cellCount: shape.elementCount)
    }
}

// MARK: - Windows

extension RollTask {
    /// Cells of some bars, and which of them are given.
    private struct Window {
        var clean: [Float]
        var known: [Float]

        /// Time steps, of `width` cells each, that are not given whole.
        func freeSteps(of width: Int) -> Int {
            stride(from: 0, to: known.count, by: width).count { known[$0..<$0 + width].contains(0) }
        }
    }

    /// A window of whole bars, drawn in proportion to the songs' lengths; shorter songs end in given silence.
    private func window(of songs: [RollCorpus.Song], seed: UInt64, step: Int, sample: Int) -> Window {
        /// A number below `count`.
        func draw(_ part: UInt32, below count: Int) -> Int {
            let draw = Philox.draw(
                seed: seed, purpose: .window, position: part, step: UInt32(truncatingIfNeeded: step),
                sample: UInt32(sample))
            return Philox.index(draw, below: max(count, 1))
        }
        var place = draw(0, below: songs.reduce(0) { $0 + $1.roll.steps })
        let song = songs.first { song in
            place -= song.roll.steps
            return place < 0
        }
        guard let song else { return Window(clean: [], known: []) }
        let width = configuration.cellCount
        let bars = (song.roll.steps - options.length) / PianoRoll.stepsPerBar
        let start = bars > 0 ? draw(1, below: bars + 1) * PianoRoll.stepsPerBar * width : 0
        let cells = song.roll.cells[start...].prefix(options.length * width)
        let missing = options.length * width - cells.count
        var window = Window(
            clean: cells.map { $0 ? 1 : 0 } + [Float](repeating: 0, count: missing),
            known: [Float](repeating: 0, count: cells.count) + [Float](repeating: 1, count: missing))
        switch draw(2, below: 4) {
        case 0: break
        case 1:
            let bars = options.length / PianoRoll.stepsPerBar
            let free = 1 + draw(3, below: max(bars / 2, 1))
            let first = draw(4, below: bars - free + 1)
            let gap = first * PianoRoll.stepsPerBar * width..<(first + free) * PianoRoll.stepsPerBar * width
            for cell in 0..<cells.count where !gap.contains(cell) { window.known[cell] = 1 }
        default:
            for (cell, isOn) in song.melody.cells[start...].prefix(cells.count).enumerated() where isOn {
                window.known[cell] = 1
            }
        }
        return window
    }
}
