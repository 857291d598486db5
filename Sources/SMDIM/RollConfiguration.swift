public import ComputeCore
public import Foundation

/// The sizes of the piano-roll denoiser: what its `config.json` says.
///
/// The process is Atassi's (arXiv 2303.08385); the network around it is the trunk of SMDIM, not his U-Net.
public struct RollConfiguration: Hashable, Sendable {
    /// P, the planes of a roll: sounding keys and onsets.
    public static let planeCount = 2

    /// Keys of a plane.
    public var pitchCount = 88
    /// F, time steps that one latent position holds.
    public var fold = 4
    /// T, diffusion times that the network knows; time 0 is clean.
    public var timeCount = 100
    /// r, the prior density of each plane: the share of cells that are on in the training set.
    public var priorDensities: [Float] = [0.04, 0.01]
    /// Time steps of the windows that the model was trained on.
    public var windowSteps = 512
    /// The trunk between the two linear layers.
    public var trunk: TrunkConfiguration

    /// C, cells of a time step.
    public var cellCount: Int { Self.planeCount * pitchCount }

    /// The least multiple of ``fold`` that holds `steps` time steps.
    public func paddedSteps(_ steps: Int) -> Int { steps.roundedUp(to: fold) }

    /// The sizes of a preset's trunk.
    public init(_ preset: ModelConfiguration.Preset) {
        trunk = ModelConfiguration(preset).trunk
    }
}

extension RollConfiguration: DenoiserConfiguration {
    /// The value of `model_type`.
    public static let modelType = "smdim-roll"

    public init(json bytes: Data) throws(ModelFileError) {
        let values = try ConfigurationValues(text: bytes)
        try values.requireModelType(Self.modelType, "a model of rolls")
        pitchCount = try values.integer("n_pitches", in: 1...128)
        fold = try values.integer("fold", in: 1...256)
        timeCount = try values.integer("n_times", in: 1...65_536)
        priorDensities = [
            try values.positiveNumber("prior_sounding", default: 0.04),
            try values.positiveNumber("prior_onset", default: 0.01),
        ]
        windowSteps = try values.integer("window_steps", in: 1...1_048_576)
        trunk = try TrunkConfiguration(values)
        for (key, density) in zip(["prior_sounding", "prior_onset"], priorDensities) where density >= 1 {
            throw .configuration(key: key, expected: "a number in (0, 1)", found: "\(density)")
        }
        guard windowSteps % fold == 0 else {
            throw .configuration(key: "window_steps", expected: "a multiple of fold = \(fold)", found: "\(windowSteps)")
        }
    }

    public var json: String {
        ConfigurationValues.text(
            [
                ("model_type", "\"\(Self.modelType)\""), ("n_pitches", "\(pitchCount)"), ("fold", "\(fold)"),
                ("n_times", "\(timeCount)"), ("prior_sounding", "\(priorDensities[0])"),
                ("prior_onset", "\(priorDensities[1])"), ("window_steps", "\(windowSteps)"),
            ] + trunk.jsonMembers)
    }

    public func parameters(_ precision: Precision) throws(ValidationError) -> [ParameterDeclaration] {
        try RollDenoiser(self, precision: precision).plan(batch: 1, steps: fold).parameters
    }
}
