/// A piece as binary cells: for each step of the grid, which of the 88 keys sound and which are struck.
///
/// Cells lie as [steps × planes × keys]: plane 0 holds the sounding keys, plane 1 the onsets, so that a repeated note survives. A
/// note from step a to b is an onset at a and sounds in a ..< b.
public struct PianoRoll: Sendable, Hashable {
    /// The lowest key, A0.
    public static let lowestPitch = 21
    /// Keys of a piano.
    public static let pitchCount = 88
    /// Sounding, onsets.
    public static let planeCount = 2
    /// Steps of a bar: sixteenths.
    public static let stepsPerBar = 4 * BarGrid.beatsPerBar
    /// Cells of a step.
    public static let width = planeCount * pitchCount

    /// Bars of the longest piece that is read as a roll, more than an hour in common tempi: a file of a hundred bytes may name
    /// any tick.
    public static let largestBarCount = 2048

    /// Number of steps.
    public let steps: Int
    /// The cells, row by row.
    public private(set) var cells: [Bool]
    /// Notes that did not fit: outside the keys of a piano, or beginning outside the steps.
    public private(set) var skipped = 0

    /// A silent roll.
    public init(steps: Int) {
        self.steps = max(steps, 0)
        cells = [Bool](repeating: false, count: self.steps * Self.width)
    }

    /// The roll of some notes; what sounds past the last step is cut there.
    public init(_ notes: [GridNote], steps: Int) {
        self.init(steps: steps)
        for note in notes {
            guard let key = Self.key(note.pitch), (0..<self.steps).contains(note.step) else {
                skipped += 1
                continue
            }
            cells[index(note.step, .onset, key)] = true
            for step in note.step..<min(note.step + max(note.duration, 1), self.steps) {
                cells[index(step, .sounding, key)] = true
            }
        }
    }

    /// The roll with these cells, as many as ``width`` times a whole number.
    public init(cells: [Bool]) {
        steps = cells.count / Self.width
        self.cells = Array(cells.prefix(steps * Self.width))
    }

    /// What a plane says of a key.
    public enum Plane: Int, Sendable, CaseIterable {
        /// The key is down.
        case sounding
        /// The key is struck.
        case onset
    }

    /// Whether a cell is on.
    ///
    /// - Parameter key: From 0 for ``lowestPitch``.
    public subscript(step: Int, plane: Plane, key: Int) -> Bool { cells[index(step, plane, key)] }

    private func index(_ step: Int, _ plane: Plane, _ key: Int) -> Int {
        (step * Self.planeCount + plane.rawValue) * Self.pitchCount + key
    }

    private static func key(_ pitch: Int) -> Int? {
        (0..<pitchCount).contains(pitch - lowestPitch) ? pitch - lowestPitch : nil
    }

    /// The roll without the keys that sound in another, while they do.
    public func silencing(_ other: PianoRoll) -> PianoRoll {
        var silenced = self
        for step in 0..<min(steps, other.steps) {
            for key in 0..<Self.pitchCount where other[step, .sounding, key] {
                for plane in Plane.allCases { silenced.cells[index(step, plane, key)] = false }
            }
        }
        return silenced
    }

    /// The share of a plane's cells that are on.
    public func density(of plane: Plane) -> Double {
        let rows = stride(from: plane.rawValue * Self.pitchCount, to: cells.count, by: Self.width)
        let on = rows.reduce(0) { sum, row in sum + cells[row..<row + Self.pitchCount].count { $0 } }
        return steps == 0 ? 0 : Double(on) / Double(steps * Self.pitchCount)
    }

    /// The notes, by (step, pitch): each begins at an onset and lasts while the key sounds and is not struck again.
    ///
    /// - Parameter velocity: Of every note; a roll holds none.
    public func notes(velocity: Int) -> [GridNote] {
        var notes: [GridNote] = []
        for step in 0..<steps {
            for key in 0..<Self.pitchCount where self[step, .onset, key] {
                var end = step + 1
                while end < steps, self[end, .sounding, key], !self[end, .onset, key] { end += 1 }
                notes.append(
                    GridNote(step: step, duration: end - step, pitch: key + Self.lowestPitch, velocity: velocity))
            }
        }
        return notes
    }
}
