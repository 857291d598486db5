import ComputeCore

/// What a recorded plan is for.
public enum RecordingPurpose: Hashable, Sendable {
    /// Outputs only: activations are fused into what comes before them.
    case inference
    /// A backward pass will follow: the plan has the tensors that gradients need.
    case training

    /// The layout of linear layers' weights: training moves float32 weights, of which products round what they take.
    func matrixLayout(_ precision: Precision) -> ParameterLayout {
        self == .training ? .matrix : precision.matrixLayout
    }

    /// The precision of attention, whose gradients exist in float32 alone.
    func attention(_ precision: Precision) -> Precision { self == .training ? .float32 : precision }
}
