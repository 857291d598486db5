import Foundation

/// A number that describes a piece.
///
/// A step is a sixteenth, a bar four beats.
public enum PieceAttribute: String, Sendable, Hashable, Codable, CaseIterable {
    /// Highest less lowest pitch.
    case pitchRange = "pitch_range"
    /// How many pitches occur.
    case distinctPitches = "distinct_pitches"
    /// How many pitch classes occur.
    case distinctPitchClasses = "distinct_pitch_classes"
    /// Mean pitch.
    case pitchMean = "pitch_mean"
    /// Entropy of the pitch classes, −Σ p log₂ p.
    case pitchClassEntropy = "pc_entropy_bits"
    /// Notes / bars.
    case notesPerBar = "notes_per_bar"
    /// Mean duration in beats.
    case durationMean = "duration_beats_mean"
    /// Median duration in beats.
    case durationMedian = "duration_beats_median"
    /// Mean velocity.
    case velocityMean = "velocity_mean"
    /// Standard deviation of velocity.
    case velocityDeviation = "velocity_sd"
    /// Mean time between distinct onsets in beats.
    case interOnsetMean = "ioi_beats_mean"
    /// Mean |pitch difference| of notes that follow each other in the order (onset, pitch).
    case intervalMean = "interval_mean"
    /// Mean number of sounding notes over the steps that are not silent.
    case polyphonyMean = "polyphony_mean"
    /// Share of those steps with more than one.
    case polyphonicRate = "polyphonic_rate"
    /// Largest share of the notes in one major or natural minor scale.
    case scaleConsistency = "scale_consistency"
    /// Mean share of the sixteen steps on which neighbouring bars agree about an onset.
    case grooveConsistency = "groove_consistency"
    /// Share of bars in which no note begins.
    case emptyBarRate = "empty_bar_rate"
}

extension StatisticsPiece {
    static let stepsPerBeat = 4.0
    static let stepsPerBar = 16

    /// The attributes of a piece with notes; one that is undefined for the piece is absent.
    func attributes() -> [PieceAttribute: Double] {
        guard !notes.isEmpty else { return [:] }
        var values: [PieceAttribute: Double] = [:]
        describePitches(in: &values)
        describeDurationsAndVelocities(in: &values)
        describeTexture(in: &values)
        describeBars(in: &values)
        return values
    }

    /// The step at which a note begins, at least 0, and the one at which it ends, at least one later.
    private func steps(of note: Note) -> Range<Int> {
        let start = max(0, Self.step(note.onset))
        return start..<max(start + 1, Self.step(note.onset + note.duration))
    }

    /// The nearest step, halves to even.
    static func step(_ beats: Double) -> Int {
        Int((beats * stepsPerBeat).rounded(.toNearestOrEven))
    }

    private func describePitches(in values: inout [PieceAttribute: Double]) {
        let pitches = notes.map(\.pitch)
        var classes = [Double](repeating: 0, count: 12)
        for pitch in pitches {
            classes[Key.pitchClass(pitch)] += 1 / Double(pitches.count)
        }
        values[.pitchRange] = Double((pitches.max() ?? 0) - (pitches.min() ?? 0))
        values[.distinctPitches] = Double(Set(pitches).count)
        values[.distinctPitchClasses] = Double(classes.count { $0 > 0 })
        values[.pitchMean] = pitches.map(Double.init).mean
        values[.pitchClassEntropy] = classes.filter { $0 > 0 }.reduce(0) { $0 - $1 * log2($1) }
        values[.intervalMean] =
            pitches.count > 1 ? zip(pitches, pitches.dropFirst()).map { Double(abs($1 - $0)) }.mean : nil
        // A natural minor scale is the major scale of its relative key, so the twelve major ones cover both.
        values[.scaleConsistency] =
            (0..<12).map { tonic in Key.Mode.major.steps.reduce(0) { $0 + classes[(tonic + $1) % 12] } }.max()
    }

    private func describeDurationsAndVelocities(in values: inout [PieceAttribute: Double]) {
        let durations = notes.map(\.duration)
        let velocities = notes.map { Double($0.velocity) }
        values[.durationMean] = durations.mean
        values[.durationMedian] = durations.median
        values[.velocityMean] = velocities.mean
        values[.velocityDeviation] = velocities.variance.squareRoot()
        let onsets = notes.map(\.onset)
        let gaps = zip(onsets, onsets.dropFirst()).map { $1 - $0 }.filter { $0 != 0 }
        values[.interOnsetMean] = gaps.isEmpty ? nil : gaps.mean
    }

    private func describeTexture(in values: inout [PieceAttribute: Double]) {
        let spans = notes.map(steps)
        var changes = [Int](repeating: 0, count: (spans.map(\.upperBound).max() ?? 0) + 1)
        for span in spans {
            changes[span.lowerBound] += 1
            changes[span.upperBound] -= 1
        }
        var sounding = 0
        var polyphony: [Double] = []
        for change in changes {
            sounding += change
            if sounding > 0 { polyphony.append(Double(sounding)) }
        }
        values[.polyphonyMean] = polyphony.mean
        values[.polyphonicRate] = Double(polyphony.count { $0 > 1 }) / Double(polyphony.count)
    }

    private func describeBars(in values: inout [PieceAttribute: Double]) {
        let starts = notes.map { steps(of: $0).lowerBound }
        let barCount = (starts.max() ?? 0) / Self.stepsPerBar + 1
        var onsets = [UInt16](repeating: 0, count: barCount)
        for start in starts {
            onsets[start / Self.stepsPerBar] |= 1 << UInt16(start % Self.stepsPerBar)
        }
        values[.notesPerBar] = Double(notes.count) / Double(barCount)
        values[.emptyBarRate] = Double(onsets.count { $0 == 0 }) / Double(barCount)
        let agreements = zip(onsets, onsets.dropFirst()).map {
            1 - Double(($0 ^ $1).nonzeroBitCount) / Double(Self.stepsPerBar)
        }
        values[.grooveConsistency] = agreements.isEmpty ? nil : agreements.mean
    }
}
