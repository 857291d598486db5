import ComputeCore

/// The sizes of the MFA trunk, which maps [B, S, D] to [B, S, D].
public struct TrunkConfiguration: Hashable, Sendable {
    /// What stands first in every block.
    public enum Mixer: String, Hashable, Sendable, CaseIterable {
        /// The selective state-space layer.
        case mamba
        /// A second attention: the transformer that the paper compares with.
        case attention
    }

    /// D, features of a latent position.
    public var modelWidth: Int
    /// Number of MFA blocks.
    public var blockCount: Int
    /// N, states per inner channel.
    public var stateCount: Int
    /// Width of Mamba's causal convolution.
    public var convolutionWidth: Int
    /// I / D, inner channels per feature.
    public var expansion: Int
    /// H, attention heads.
    public var headCount: Int
    /// Hidden features of the feed-forward layer.
    public var feedForwardWidth: Int
    /// θ of the rotary positions.
    public var rotaryBase: Float
    /// ε of every layer normalisation.
    public var normEpsilon: Float
    /// What stands first in every block.
    public var mixer: Mixer

    /// I, Mamba's inner channels.
    public var innerWidth: Int { expansion * modelWidth }
    /// R = ⌈D / 16⌉, the rank of the step sizes.
    public var stepRank: Int { (modelWidth + 15) / 16 }
}

/// The sizes of the token denoiser: what `config.json` says.
///
/// Only the structure is the paper's (arXiv 2603.00576); the widths, the depth and the stride are our reconstruction.
public struct ModelConfiguration: Hashable, Sendable {
    /// V, the token ids that the model predicts; [MASK] has id V.
    public var vocabularySize: Int
    /// E, features of a token.
    public var embeddingWidth: Int
    /// Tokens per latent position.
    public var stride: Int
    /// The trunk between the two convolutions.
    public var trunk: TrunkConfiguration
    /// Quarter notes per minute of what the model writes, unless another tempo is asked for.
    public var tempo: Float = 120

    /// The id of [MASK].
    public var maskToken: Int32 { Int32(vocabularySize) }

    /// The least multiple of ``stride`` that holds `length` tokens.
    public func paddedLength(_ length: Int) -> Int { length.roundedUp(to: stride) }
}

extension ModelConfiguration {
    /// Sizes by name.
    public enum Preset: String, Hashable, Sendable, CaseIterable {
        /// 53.9 million parameters at V = 282; the size at which speed is measured.
        case paper
        /// 7.5 million parameters; what ships.
        case small
        /// For tests.
        case tiny
    }

    /// V of the presets where no tokenizer decides it.
    public static let benchmarkVocabularySize = 282

    /// The sizes of a preset.
    public init(_ preset: Preset, vocabularySize: Int = benchmarkVocabularySize) {
        let (embedding, width, blocks, heads): (Int, Int, Int, Int) =
            switch preset {
            case .paper: (128, 512, 11, 8)
            case .small: (64, 256, 6, 4)
            case .tiny: (32, 64, 2, 2)
            }
        self.init(
            vocabularySize: vocabularySize, embeddingWidth: embedding, stride: 4,
            trunk: TrunkConfiguration(
                modelWidth: width, blockCount: blocks, stateCount: 16, convolutionWidth: 4, expansion: 2,
                headCount: heads, feedForwardWidth: 4 * width, rotaryBase: 10000, normEpsilon: 1e-5, mixer: .mamba))
    }
}
