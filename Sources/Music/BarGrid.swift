import Foundation

/// The grid of bars and steps that a piece is read on: 4/4 throughout, shifted by a phase.
///
/// A step is 1 / `stepsPerBeat` quarter notes. Step 0 lies `phase` quarter notes after tick 0, and
/// step(tick) = max(0, round((tick / division − phase) · stepsPerBeat)). Bar b (from 1) is the steps
/// 4·stepsPerBeat·(b − 1) ..< 4·stepsPerBeat·b; a note belongs to the bar of its onset's step.
public struct BarGrid: Sendable, Hashable {
    /// Quarter notes in a bar.
    public static let beatsPerBar = 4
    /// The grid on which ``estimatePhase(of:division:)`` looks for onsets: sixteenths.
    static let phaseStepsPerBeat = 4.0

    /// Ticks in a quarter note.
    public let division: Int
    /// Steps in a quarter note.
    public let stepsPerBeat: Int
    /// Distance of step 0 from tick 0 in quarter notes; an estimate lies within ±1/8, bar lines may move it by bars.
    public let phase: Double

    /// Makes a grid; counts below 1 become 1, and a phase that is no number becomes 0.
    public init(division: Int, stepsPerBeat: Int = 4, phase: Double = 0) {
        self.division = max(division, 1)
        self.stepsPerBeat = max(stepsPerBeat, 1)
        self.phase = phase.isFinite ? phase : 0
    }

    /// The grid whose phase agrees best with the onsets of notes.
    public init(aligning notes: [Note], division: Int, stepsPerBeat: Int = 4) {
        self.init(
            division: division, stepsPerBeat: stepsPerBeat,
            phase: Self.estimatePhase(of: notes.map(\.tick), division: division))
    }

    /// The phase of a sixteenth grid under onsets, in quarter notes: arg(Σ exp(2πi·4·onset)) / (2π·4), within ±1/8.
    ///
    /// - Parameters:
    ///   - onsets: Onsets in ticks; without any, or where none is favoured, the phase is 0.
    ///   - division: Ticks in a quarter note.
    public static func estimatePhase(of onsets: [Int], division: Int) -> Double {
        phase(ofOnsets: onsets.map { Double($0) / Double(division) })
    }

    /// The same for onsets in quarter notes.
    static func phase(ofOnsets onsets: [Double]) -> Double {
        var real = 0.0
        var imaginary = 0.0
        for onset in onsets {
            let angle = 2 * Double.pi * phaseStepsPerBeat * onset
            real += cos(angle)
            imaginary += sin(angle)
        }
        // Onsets that favour no phase, a run of triplets for one, cancel but for rounding.
        guard hypot(real, imaginary) > 1e-6 * Double(onsets.count) else { return 0 }
        return atan2(imaginary, real) / (2 * .pi) / phaseStepsPerBeat
    }

    /// The same steps with bar lines where the notes' accents are, and no empty bar in front.
    ///
    /// Files that were transcribed or recorded keep time but not bars: their first tick may be any step of a bar. The first
    /// note's bar becomes the first, and steps move by the k that maximises Σ weight((step + k) mod 16) · min(duration, 16)
    /// over the notes, in sixteenths, the least of several: long notes begin on strong beats. The weights of a bar's steps are
    /// those of Longuet-Higgins and Lee (Music Perception 1(4), 1984), raised by 4: 4 for the bar line, 3 for the half bar, 2
    /// for the other beats, 1 between two beats, 0 elsewhere.
    public func barred(by notes: [Note]) -> BarGrid { moved(bySteps: stepsToAccents(of: notes)) }

    /// The same steps, of which step 0 becomes step `steps`.
    public func moved(bySteps steps: Int) -> BarGrid {
        BarGrid(division: division, stepsPerBeat: stepsPerBeat, phase: phase - Double(steps) / Double(stepsPerBeat))
    }

    /// By how many steps ``barred(by:)`` moves the grid: forward to the accents, back over empty bars in front.
    public func stepsToAccents(of notes: [Note]) -> Int {
        let notes = notes.map(quantized)
        var accents = [Int](repeating: 0, count: stepsPerBar)
        for note in notes { accents[note.step % stepsPerBar] += min(note.duration, stepsPerBar) }
        let fits = (0..<stepsPerBar).map { shift in
            accents.indices.reduce(0) { $0 + metricalWeight(ofStep: $1 + shift) * accents[$1] }
        }
        let shift = fits.firstIndex(of: fits.max() ?? 0) ?? 0
        let emptyBars = ((notes.map(\.step).min() ?? 0) + shift) / stepsPerBar
        return shift - emptyBars * stepsPerBar
    }

    /// How strong a step of a bar is; see ``barred(by:)``.
    private func metricalWeight(ofStep step: Int) -> Int {
        let spans = [stepsPerBar, stepsPerBar / 2, stepsPerBeat, max(stepsPerBeat / 2, 1)]
        return spans.firstIndex { step.isMultiple(of: $0) }.map { spans.count - $0 } ?? 0
    }

    /// Steps in a bar.
    public var stepsPerBar: Int { Self.beatsPerBar * stepsPerBeat }

    /// The step nearest to a tick, at least 0.
    public func step(ofTick tick: Int) -> Int {
        max(0, Int(((Double(tick) / Double(division) - phase) * Double(stepsPerBeat)).rounded()))
    }

    /// The tick nearest to a step, at least 0.
    public func tick(ofStep step: Int) -> Int {
        max(0, Int(((Double(step) / Double(stepsPerBeat) + phase) * Double(division)).rounded()))
    }

    /// The bar, from 1, to which a note with this onset belongs.
    public func bar(ofTick tick: Int) -> Int {
        step(ofTick: tick) / stepsPerBar + 1
    }

    /// The nearest number of steps to a length in ticks, at least 1.
    func steps(inTicks ticks: Int) -> Int {
        max(1, Int((Double(ticks) / Double(division) * Double(stepsPerBeat)).rounded()))
    }
}

/// A note on a grid of steps, as tokens hold it.
public struct GridNote: Sendable, Hashable, Codable {
    /// Onset in steps from the first bar line.
    public var step: Int
    /// Length in steps, at least 1.
    public var duration: Int
    /// MIDI pitch.
    public var pitch: Int
    /// Velocity, 1...127.
    public var velocity: Int

    /// Makes a note.
    public init(step: Int, duration: Int, pitch: Int, velocity: Int) {
        self.step = step
        self.duration = duration
        self.pitch = pitch
        self.velocity = velocity
    }
}

extension BarGrid {
    /// The note nearest to a note of the file.
    public func quantized(_ note: Note) -> GridNote {
        GridNote(
            step: step(ofTick: note.tick), duration: steps(inTicks: note.duration), pitch: note.pitch,
            velocity: note.velocity)
    }

    /// A note of the grid in ticks of the file: onset and end shifted by the phase, at least one tick long.
    public func note(_ note: GridNote, track: Int = 0, channel: Int = 0) -> Note {
        let start = tick(ofStep: note.step)
        let end = tick(ofStep: note.step + note.duration)
        return Note(
            tick: start, duration: max(1, end - start), pitch: note.pitch, velocity: note.velocity, track: track,
            channel: channel)
    }
}
