/// One REMI token, in MidiTok's terms.
public enum Token: Sendable, Hashable, CustomStringConvertible {
    /// A token outside the music, such as PAD; its MidiTok name is `PAD_None`.
    case special(String)
    /// The beginning of the next bar: `Bar_None`.
    case bar
    /// Where in the bar the following notes begin, in steps: `Position_4`.
    case position(Int)
    /// The pitch of a note: `Pitch_60`.
    case pitch(Int)
    /// The velocity of a note: `Velocity_63`.
    case velocity(Int)
    /// The length of a note, `beats` + `steps` / `resolution` quarter notes: `Duration_1.0.4`.
    case duration(beats: Int, steps: Int, resolution: Int)

    /// Fills pieces that are shorter than a window.
    public static let pad = Token.special("PAD")
    /// Beginning of sequence.
    public static let bos = Token.special("BOS")
    /// End of sequence.
    public static let eos = Token.special("EOS")
    /// MidiTok's mask token, which the model never uses.
    public static let mask = Token.special("MASK")

    /// MidiTok's string for the token.
    public var description: String {
        switch self {
        case .special(let name): "\(name)_None"
        case .bar: "Bar_None"
        case .position(let step): "Position_\(step)"
        case .pitch(let pitch): "Pitch_\(pitch)"
        case .velocity(let velocity): "Velocity_\(velocity)"
        case .duration(let beats, let steps, let resolution): "Duration_\(beats).\(steps).\(resolution)"
        }
    }
}
