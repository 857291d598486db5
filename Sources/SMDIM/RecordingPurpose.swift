/// What a recorded plan is for.
public enum RecordingPurpose: Hashable, Sendable {
    /// Outputs only: activations are fused into what comes before them.
    case inference
    /// A backward pass will follow: the plan has the tensors that gradients need.
    case training
}
