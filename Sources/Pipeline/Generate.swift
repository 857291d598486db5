import ComputeCore
public import Music
import SMDIM

extension TokenModel {
    /// Writes new pieces.
    ///
    /// Every piece starts with a bar; the model's key is C major or A minor, from which `key` moves the piece. Under a
    /// grammar every piece is well formed and may end early, in PAD.
    ///
    /// - Parameters:
    ///   - length: Tokens of a piece, at least those of one bar with a note where the grammar wants one; at most
    ///     `GrammarDraw.longestLength` under a grammar, 2²⁰ without.
    ///   - tempo: Quarter notes per minute; the model's own if nil.
    ///   - key: The key of the pieces; the model's own if nil.
    ///   - progress: Called after each step; each call waits for the device.
    /// - Throws: ``PipelineError``, ``GrammarError``, ``SamplingError``, or what the backend throws.
    public func generate(
        length: Int = windowLength, settings: SamplingSettings, tempo: Double? = nil, key: Key? = nil,
        progress: ((SamplingProgress) -> Void)? = nil
    ) throws -> [Piece] {
        let least = leastBarTokens(settings)
        let longest = settings.grammar == nil ? Self.longestPiece : GrammarDraw.longestLength
        guard (least...longest).contains(length) else {
            let hint = settings.grammar == nil ? "" : ", or up to \(Self.longestPiece) without a grammar"
            throw PipelineError.option(
                name: "length", expected: "\(least) to \(longest) tokens\(hint)", found: "\(length)")
        }
        if let tempo, !Tempo.range.contains(tempo) {
            throw PipelineError.option(name: "tempo", expected: Tempo.span, found: "\(tempo)")
        }
        let tempo = try Tempo(quartersPerMinute: tempo ?? Double(configuration.tempo))
        let transposition = key?.shiftFromWhiteKeys ?? 0
        let grammar = try settings.grammar.map {
            try REMIGrammar(tokenizer, options: $0, transposition: transposition)
        }
        let draws = try complete(
            [id(.bar)] + [Int32](repeating: mask, count: length - 1), settings: settings,
            allowed: allowed(padding: grammar != nil), constraint: grammar?.automaton, progress: progress)
        return draws.map { draw in
            let (file, report) = tokenizer.midiFile(from: draw.tokens, tempo: tempo, transposition: transposition)
            return Piece(
                file: file, tokens: draw.tokens,
                summary: Piece.Summary(draw, settings: settings, report: report, notes: report.notes, bars: report.bars)
            )
        }
    }
}

extension TokenModel {
    /// The most tokens of a piece that is drawn without a grammar.
    private static let longestPiece = 1 << 20
}

extension Piece.Summary {
    init(_ draw: Draw, settings: SamplingSettings, report: REMITokenizer.DecodeReport, notes: Int, bars: Int) {
        self.init(
            sample: draw.sample, seed: settings.seed, notes: notes, bars: bars, skippedTokens: report.skipped,
            networkCalls: draw.networkCalls, nearTies: draw.nearTies)
    }
}
