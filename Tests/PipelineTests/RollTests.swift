import ComputeCore
import Diffusion
import Foundation
import Music
import Pipeline
import ReferenceBackend
import SMDIM
import Testing
import _TestSupport

/// An untrained model of rolls with windows of two bars, on the reference backend.
private enum TinyRoll {
    static let shared = Result { try make() }

    static var configuration: RollConfiguration {
        var configuration = RollConfiguration(.tiny)
        configuration.trunk.modelWidth = 8
        configuration.trunk.blockCount = 1
        configuration.trunk.feedForwardWidth = 8
        configuration.trunk.stateCount = 2
        configuration.windowSteps = 32
        return configuration
    }

    private static func make() throws -> RollModel { try make(configuration) }

    /// - Parameter bias: Of every cell; below 0 most of them are off.
    static func make(_ configuration: RollConfiguration, bias: Float = -3) throws -> RollModel {
        let folder = try TemporaryFolder().url
        let weights = try configuration.initialWeights(seed: 3).map { source in
            // Without a bias half of all cells would be on.
            guard source.key.name == "head.bias" else { return source }
            return try ParameterSource(
                source.key, source.layout, source.shape, [Float](repeating: bias, count: source.shape.elementCount))
        }
        try ModelFolder.write(configuration, weights: weights, isTrained: false, tokenizer: nil, readme: "", to: folder)
        return try RollModel(folder, on: ReferenceBackend())
    }

    static var settings: RollSettings {
        var settings = RollSettings(seed: 11)
        settings.steps = 3
        return settings
    }
}

@Suite struct HarmoniseTests {
    /// Four bars are two windows, overlapping by a half: three calls of three steps.
    @Test func everythingGivenStaysAndAVoiceIsAdded() throws {
        let piece = try TinyModel.piece(bars: 4)
        let result = try #require(try TinyRoll.shared.get().harmonise(piece, settings: TinyRoll.settings).first)
        #expect(Array(result.file.tracks.dropLast()) == piece.tracks)
        #expect(result.summary.notes > 0 && result.summary.networkCalls == 9)
        let given = Set(piece.notes().pitched.map { [$0.tick, $0.pitch] })
        let added = result.file.notes().notes.filter { $0.track == piece.tracks.count }
        #expect(added.count == result.summary.notes)
        #expect(added.allSatisfy { !given.contains([$0.tick, $0.pitch]) && !$0.isDrum })
    }

    @Test func pieceDoesNotDependOnThoseBesideIt() throws {
        let model = try TinyRoll.shared.get()
        let piece = try TinyModel.piece(bars: 3)
        var settings = TinyRoll.settings
        settings.count = 3
        settings.batch = 2
        let all = try model.harmonise(piece, settings: settings)
        #expect(Set(all.map(\.file)).count == 3)
        settings.count = 1
        settings.firstSample = 2
        #expect(try model.harmonise(piece, settings: settings).map(\.file) == [all[2].file])
    }

    /// So hot that every cell is drawn at one half, where some of so many draws lie near it.
    @Test func nearTiesAreCountedPerPiece() throws {
        let model = try TinyRoll.shared.get()
        let piece = try TinyModel.piece(bars: 4)
        var settings = TinyRoll.settings
        settings.temperature = 1e30
        settings.count = 4
        let together = try model.harmonise(piece, settings: settings).map(\.summary.nearTies)
        settings.batch = 1
        #expect(try model.harmonise(piece, settings: settings).map(\.summary.nearTies) == together)
        #expect(Set(together).count > 1)
    }

    @Test(arguments: ["first-sample", "count", "batch"]) func numbersThatCannotBeAreNamed(_ name: String) throws {
        let (model, file) = (try TinyRoll.shared.get(), try TinyModel.piece(bars: 1))
        for value in [-1, .min] + (name == "batch" ? [0] : [3_000_000_000, .max]) {
            var settings = TinyRoll.settings
            switch name {
            case "first-sample": settings.firstSample = value
            case "count": settings.count = value
            default: settings.batch = value
            }
            func isNamed(_ error: any Error) -> Bool {
                guard case PipelineError.option(name, _, "\(value)") = error else { return false }
                return true
            }
            #expect(performing: { try model.harmonise(file, settings: settings) }, throws: isNamed)
            // At a strength of 0 nothing is drawn.
            #expect(performing: { try model.vary(file, strength: 0, settings: settings) }, throws: isNamed)
        }
    }

    @Test func stepsThatCannotBeAreNamed() throws {
        var settings = TinyRoll.settings
        (settings.steps, settings.count) = (.max, 5)
        #expect(throws: SamplingError.stepCount(.max)) {
            try TinyRoll.shared.get().harmonise(TinyModel.piece(bars: 1), settings: settings)
        }
    }

    @Test func drumsAloneAndNoNotesAreNamed() throws {
        let drums = MIDIFile(
            division: 480,
            tracks: [
                MIDITrack(events: [
                    MIDIEvent(tick: 0, message: .noteOn(channel: 9, pitch: 38, velocity: 90)),
                    MIDIEvent(tick: 60, message: .noteOff(channel: 9, pitch: 38, velocity: 0)),
                ])
            ])
        for file in [drums, MIDIFile(division: 480, tracks: [])] {
            #expect(throws: ScoreEditError.noNotes) {
                try TinyRoll.shared.get().harmonise(file, settings: TinyRoll.settings)
            }
        }
    }

    /// A hundred bytes may name any tick.
    @Test func moreBarsThanARollHoldsAreNamed() throws {
        let notes = [0, 2_000_000_000].map { Note(tick: $0, duration: 1, pitch: 60, velocity: 80) }
        let file = MIDIFile(notes: notes, division: 1, tempo: .standard)
        let error = ScoreEditError.tooLong(bars: 500_000_001, limit: PianoRoll.largestBarCount)
        #expect(throws: error) { try TinyRoll.shared.get().harmonise(file, settings: TinyRoll.settings) }
        #expect(throws: error) { try RollCorpus.Song(file) }
    }

    /// Four steps of the grid lie on one tick.
    @Test func notesForWhichTicksAreTooCoarseAreNotCounted() throws {
        let notes = (0..<8).map { Note(tick: $0, duration: 1, pitch: 60, velocity: 80) }
        let piece = MIDIFile(notes: notes, division: 1, tempo: .standard)
        let result = try #require(try TinyRoll.shared.get().harmonise(piece, settings: TinyRoll.settings).first)
        #expect(result.file.notes().notes.count { $0.track == piece.tracks.count } == result.summary.notes)
        #expect(result.summary.remarks.contains { $0.hasSuffix("their key was already sounding") })
    }

    @Test func keysThatNoPianoHasAreKeptAndTold() throws {
        let notes = [15, 60, 64, 120].map { Note(tick: 0, duration: 480, pitch: $0, velocity: 80) }
        let piece = MIDIFile(notes: notes, division: 480, tempo: .standard)
        let result = try #require(try TinyRoll.shared.get().harmonise(piece, settings: TinyRoll.settings).first)
        #expect(Array(result.file.tracks.dropLast()) == piece.tracks)
        #expect(result.summary.remarks.contains { $0.hasPrefix("2 notes outside the keys of a piano") })
    }
}

@Suite struct CompleteTests {
    @Test(arguments: [1...1, 2...3, 4...4]) func onlyTheBarsChange(_ bars: ClosedRange<Int>) throws {
        let piece = try TinyModel.piece(bars: 4)
        let grid = BarGrid(aligning: piece.notes().pitched, division: piece.division)
        func outside(_ file: MIDIFile) -> [Note] {
            file.notes().notes.filter { $0.isDrum || !bars.contains(grid.bar(ofTick: $0.tick)) }
        }
        let result = try #require(
            try TinyRoll.shared.get().complete(piece, bars: bars, settings: TinyRoll.settings).first)
        #expect(outside(result.file) == outside(piece))
        #expect(result.file.notes().notes != piece.notes().notes)
        #expect(result.summary.bars == bars.count && result.summary.notes > 0)
    }

    /// A window of two and a half bars holds two, wherever they are; a network that turns everything on fills them to the end.
    @Test(arguments: 1...5) func aWindowThatIsNoWholeNumberOfBarsLeavesNothingOut(_ first: Int) throws {
        var configuration = TinyRoll.configuration
        configuration.windowSteps = 40
        let piece = try TinyModel.piece(bars: 6)
        let result = try #require(
            try TinyRoll.make(configuration, bias: 9).complete(
                piece, bars: first...first + 1, settings: TinyRoll.settings
            ).first)
        let grid = BarGrid(aligning: piece.notes().pitched, division: piece.division)
        let steps = Set(result.file.notes().pitched.map { grid.step(ofTick: $0.tick) })
        #expect(steps.isSuperset(of: (first - 1) * 16..<(first + 1) * 16))
    }

    @Test func barsThatThePieceDoesNotHaveAreNamed() throws {
        #expect(throws: ScoreEditError.barsOutside(bars: 3...5, count: 4)) {
            try TinyRoll.shared.get().complete(TinyModel.piece(bars: 4), bars: 3...5, settings: TinyRoll.settings)
        }
    }
}

@Suite struct VaryTests {
    @Test func strengthZeroReturnsThePiece() throws {
        let piece = try TinyModel.piece(bars: 3)
        let result = try TinyRoll.shared.get().vary(piece, strength: 0, settings: TinyRoll.settings)
        #expect(result.map(\.file) == [piece] && result[0].summary.networkCalls == 0)
    }

    /// What is not pitched stays; a note that comes back keeps its tick, length and velocity.
    @Test func whatComesBackStaysTickForTick() throws {
        let piece = try TinyModel.piece(bars: 2)
        let result = try #require(
            try TinyRoll.shared.get().vary(piece, strength: 0.2, settings: TinyRoll.settings).first)
        let (before, after) = (Set(piece.notes().notes), Set(result.file.notes().notes))
        #expect(before.filter(\.isDrum) == after.filter(\.isDrum))
        #expect(before != after)
        let grid = BarGrid(aligning: piece.notes().pitched, division: piece.division)
        let onGrid = after.subtracting(before).filter { note in
            grid.note(grid.quantized(note), track: note.track).tick == note.tick
        }
        #expect(onGrid.count == after.subtracting(before).count, "new notes lie on the grid, old ones where they were")
    }

    @Test(arguments: [-0.1, 1.1, .nan]) func strengthOutsideItsRangeIsNamed(_ strength: Double) throws {
        #expect(throws: PipelineError.self) {
            try TinyRoll.shared.get().vary(TinyModel.piece(bars: 2), strength: strength, settings: TinyRoll.settings)
        }
    }
}

@Suite struct RollTrainingTests {
    private static func corpus() throws -> (folder: URL, corpus: RollCorpus) {
        let folder = try TinyModel.songs()
        return (folder, try RollCorpus(folder: folder))
    }

    private static var options: TrainingOptions {
        var options = TinyRun.options
        options.steps = 40
        options.length = 32
        options.rate = 0.02
        options.averageDecay = 0.8
        return options
    }

    private static func trainer(_ corpus: RollCorpus, _ options: TrainingOptions = options) throws -> Trainer<RollTask>
    {
        let configuration = TinyRoll.configuration
        return try Trainer(
            configuration, weights: configuration.initialWeights(seed: 1), corpus: corpus, options: options,
            on: ReferenceBackend())
    }

    @Test func lossFallsAndTheMeasureWithIt() throws {
        let trainer = try Self.trainer(Self.corpus().corpus)
        let before = try trainer.validationMetric()
        let losses = try (0..<40).map { _ in try trainer.takeStep().loss }
        let (early, late): (Double, Double) = (losses.prefix(5).reduce(0, +), losses.suffix(5).reduce(0, +))
        #expect(late < 0.5 * early)
        #expect(try trainer.validationMetric() < 0.5 * before)
    }

    /// A network without a head finds every cell as likely on as off, which costs a bit, so a time step costs as many as it has
    /// free cells: all but the two of a note of the melody. The song that judges is shorter than a window.
    @Test(arguments: BinaryCrossEntropy.Loss.allCases) func measureIsInBitsPerFreeStep(
        _ loss: BinaryCrossEntropy.Loss
    ) throws {
        let (configuration, corpus) = (TinyRoll.configuration, try Self.corpus().corpus)
        let weights = try configuration.initialWeights(seed: 1).map { source in
            let values = source.key.name.hasPrefix("head.") ? source.values.map { $0.map { _ in 0 } } : source.values
            return try ParameterSource(source.key, source.layout, source.shape, values)
        }
        var options = Self.options
        (options.length, options.cellLoss) = (96, loss)
        let trainer = try Trainer<RollTask>(
            configuration, weights: weights, corpus: corpus, options: options, on: ReferenceBackend())
        try #require(trainer.task.validationCount == 1 && corpus.valid[0].roll.steps < 96)
        let known = try #require(try trainer.task.validation(0).batch.inputs["known"]).floats()
        let free = stride(from: 0, to: known.count, by: 176).map { step in known[step..<step + 176].count { $0 == 0 } }
        let expected = Double(free.reduce(0, +)) / Double(free.count { $0 > 0 })
        try #require(expected > 174 && expected < 176 && free.contains(0))
        #expect(abs(try trainer.validationMetric() - expected) < 1e-5 * expected)
    }

    @Test func resumedRunHasTheBitsOfOneThatWasNot() throws {
        let (folder, corpus) = try Self.corpus()
        let whole = try Self.trainer(corpus)
        for _ in 0..<4 { _ = try whole.takeStep() }
        let first = try Self.trainer(corpus)
        for _ in 0..<2 { _ = try first.takeStep() }
        try first.writeCheckpoint(to: folder)
        let second = try Trainer<RollTask>(resuming: folder, corpus: corpus, on: ReferenceBackend())
        for _ in 0..<2 { _ = try second.takeStep() }
        #expect(try whole.takeStep().loss == second.takeStep().loss)
    }

    @Test func densitiesAreThoseOfTheSongs() throws {
        let corpus = try Self.corpus().corpus
        let on = corpus.train.reduce(0) { $0 + $1.roll.cells.count { $0 } }
        let cells = corpus.train.reduce(0) { $0 + $1.roll.cells.count / 2 }
        #expect(abs(corpus.densities.reduce(0, +) - Float(on) / Float(cells)) < 1e-6)
        #expect(corpus.train.allSatisfy { $0.melody.notes(velocity: 1).count < $0.roll.notes(velocity: 1).count })
    }

    /// Hands strike no chord at once: onsets of one step are one chord, whose highest note is the melody.
    @Test func melodyOfARecordingIsTheHighestNoteOfAStep() throws {
        let notes = (0..<8).flatMap { step in
            [48, 52, 72 + step].enumerated().map { voice, pitch in
                Note(tick: step * 480 + 5 * voice, duration: 300, pitch: pitch, velocity: 70)
            }
        }
        let song = try RollCorpus.Song(MIDIFile(notes: notes, division: 480, tempo: .standard))
        #expect(song.melody.notes(velocity: 1).count == 8 && song.roll.notes(velocity: 1).count == 24)
    }

    @Test func optionsThatCannotBeAreNamed() throws {
        let corpus = try Self.corpus().corpus
        var options = Self.options
        options.length = 24
        #expect(throws: PipelineError.self) { try Self.trainer(corpus, options) }
        options = Self.options
        options.weighting = .elbo
        #expect(throws: PipelineError.self) { try Self.trainer(corpus, options) }
        options = Self.options
        options.sweptWindows = 0.5
        #expect(throws: PipelineError.self) { try Self.trainer(corpus, options) }
    }
}
