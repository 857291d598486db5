import ComputeCore
public import Diffusion
public import Music
import SMDIM

/// How pieces are drawn: what every sampling call takes.
public struct SamplingSettings: Hashable, Sendable {
    /// K, the reverse steps. Fewer are faster; at 64 neighbouring bars have less of their rhythm in common.
    public var steps = 128
    /// How the diffusion times are spaced.
    public var spacing = TimeGrid.Spacing.uniform
    /// Which positions a step reveals.
    public var order = SamplingOptions.Order.scheduled
    /// How far the front of what is drawn is revealed before its end, in [0, 1); other orders than `scheduled` need 0. If nil,
    /// 1 − 6.4/K, or 0 in other orders: what surrounds a token is revealed within some six steps. With the shipped model fewer
    /// spoil the notes, and more the rhythm that neighbouring bars have in common.
    public var sweep: Double?
    /// T, dividing the logits; 0 takes the most probable token.
    public var temperature: Float = 1
    /// p of top-p. At 0.95 the shipped model's pieces are closest to real ones, in overlap, key and notes a bar; 1 draws from
    /// all it says.
    public var topP: Float = 0.95
    /// Names every random number.
    public var seed: UInt64
    /// How many pieces.
    public var count = 1
    /// The number of the first piece; piece i is the same whatever ``count`` is.
    public var firstSample = 0
    /// How many pieces are drawn at once. It changes memory and speed, never a piece.
    public var batch = 4
    /// What drawn notes may be; nil samples without a grammar, so that a piece may hold tokens that make no note.
    public var grammar: GrammarOptions? = GrammarOptions()

    /// The defaults under a seed.
    public init(seed: UInt64) {
        self.seed = seed
    }

    /// Checks every setting but the grammar, which a model's tokenizer has to fit.
    ///
    /// - Throws: ``PipelineError/option(name:expected:found:)`` or ``SamplingError``.
    public func validate() throws {
        try PipelineError.require(count: count, firstSample: firstSample, batch: batch)
        _ = try options()
    }

    /// What a chain needs to know.
    ///
    /// - Throws: ``SamplingError`` for a value outside its range.
    func options() throws(SamplingError) -> SamplingOptions {
        let strength = sweep ?? (order == .scheduled ? max(0, 1 - 6.4 / Double(steps)) : 0)
        return try SamplingOptions(
            grid: TimeGrid(spacing, stepCount: steps), order: order, sweep: Sweep(strength: strength),
            temperature: temperature, topP: topP, seed: seed, firstSample: firstSample)
    }
}

/// How far a sampling call has come.
public struct SamplingProgress: Hashable, Sendable {
    /// Network calls made.
    public let done: Int
    /// Network calls in all, as far as they are known.
    public let total: Int
}

extension TokenModel {
    /// Completes `initial` for each of the settings' samples, in batches.
    ///
    /// - Parameters:
    ///   - initial: Tokens, [MASK] where one is to be drawn.
    ///   - allowed: Which ids may be drawn.
    ///   - constraint: The sequences that may come out; any if nil.
    func complete(
        _ initial: [Int32], settings: SamplingSettings, allowed: [Bool], constraint: TokenAutomaton?,
        progress: ((SamplingProgress) -> Void)?
    ) throws -> [Draw] {
        try settings.validate()
        let options = try settings.options()
        var (draws, calls): ([Draw], Int) = ([], 0)
        var chain: (size: Int, chain: ReverseChain)?
        while draws.count < settings.count {
            let size = min(settings.batch, settings.count - draws.count)
            if chain?.size != size { chain = (size, try makeChain(size, initial.count, options, allowed, constraint)) }
            guard let current = chain?.chain else { break }
            let (finished, first) = (calls, settings.firstSample + draws.count)
            let batchesLeft = (settings.count - draws.count).roundedUp(to: size) / size
            let result = try current.run(
                from: [[Int32]](repeating: initial, count: size), firstSample: first,
                progress: progress.map { report in
                    { done, total in
                        report(SamplingProgress(done: finished + done, total: finished + batchesLeft * total))
                    }
                })
            calls += result.networkCalls
            draws += result.tokens.enumerated().map { index, tokens in
                Draw(
                    tokens: tokens.map(Int.init), sample: first + index, networkCalls: result.networkCalls,
                    nearTies: result.nearTies[index])
            }
        }
        return draws
    }

    private func makeChain(
        _ count: Int, _ length: Int, _ options: SamplingOptions, _ allowed: [Bool], _ constraint: TokenAutomaton?
    ) throws -> ReverseChain {
        let batch = ReverseChain.Batch(
            count: count, length: length, paddedLength: configuration.paddedLength(length),
            vocabularySize: configuration.vocabularySize)
        return try ReverseChain(
            batch, options: options, allowed: allowed, constraint: constraint, on: backend, parameters: parameters
        ) { tokens, plan in
            try denoiser.record(tokens, into: &plan).logits
        }
    }
}

/// A finished sequence of tokens.
struct Draw {
    let tokens: [Int]
    let sample: Int
    let networkCalls: Int
    let nearTies: Int
}
