public import Music
import SMDIM

extension Model {
    /// Writes new pieces.
    ///
    /// Every piece starts with a bar; the model's key is C major or A minor, from which `key` moves the piece.
    ///
    /// - Parameters:
    ///   - length: Tokens of a piece, at least 1.
    ///   - tempo: Quarter notes per minute; the model's own if nil.
    ///   - key: The key of the pieces; the model's own if nil.
    ///   - progress: Called after each step; each call waits for the device.
    /// - Throws: ``PipelineError``, ``SamplingError``, or what the backend throws.
    public func generate(
        length: Int = windowLength, settings: SamplingSettings, tempo: Double? = nil, key: Key? = nil,
        progress: ((SamplingProgress) -> Void)? = nil
    ) throws -> [Piece] {
        guard (1...1 << 20).contains(length) else {
            throw PipelineError.option(name: "length", expected: "1 to \(1 << 20) tokens", found: "\(length)")
        }
        let tempo = try Tempo(quartersPerMinute: tempo ?? Double(configuration.tempo))
        let initial = [try id(.bar)] + [Int32](repeating: mask, count: length - 1)
        return try complete(initial, settings: settings, allowed: allowed(), progress: progress).map { draw in
            let (file, report) = tokenizer.midiFile(
                from: draw.tokens, tempo: tempo, transposition: key?.shiftFromWhiteKeys ?? 0)
            return Piece(
                file: file, tokens: draw.tokens,
                summary: Piece.Summary(draw, settings: settings, report: report, notes: report.notes, bars: report.bars))
        }
    }
}

extension Piece.Summary {
    init(_ draw: Draw, settings: SamplingSettings, report: REMITokenizer.DecodeReport, notes: Int, bars: Int) {
        self.init(
            sample: draw.sample, seed: settings.seed, notes: notes, bars: bars, skippedTokens: report.skipped,
            networkCalls: draw.networkCalls, nearTies: draw.nearTies)
    }
}
