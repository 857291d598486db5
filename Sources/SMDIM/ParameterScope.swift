import ComputeCore

/// Names the parameters of one module: the prefix that they share in `model.safetensors`, and which slot is used.
struct ParameterScope {
    let prefix: String
    let slot: ParameterKey.Slot
    /// Of the weights of linear layers.
    let matrixLayout: ParameterLayout

    /// The scope of the whole model.
    init(slot: ParameterKey.Slot, precision: Precision, purpose: RecordingPurpose) {
        self.init(prefix: "", slot: slot, matrixLayout: purpose.matrixLayout(precision))
    }

    private init(prefix: String, slot: ParameterKey.Slot, matrixLayout: ParameterLayout) {
        self.prefix = prefix
        self.slot = slot
        self.matrixLayout = matrixLayout
    }

    /// The scope of a sub-module.
    func scope(_ name: String) -> ParameterScope {
        ParameterScope(prefix: "\(prefix)\(name).", slot: slot, matrixLayout: matrixLayout)
    }

    /// Declares a parameter of the module.
    func callAsFunction(
        _ name: String, _ shape: Shape, _ layout: ParameterLayout = .plain, in plan: inout Plan
    ) -> Tensor {
        plan.parameter(ParameterKey(prefix + name, slot), shape, layout)
    }

    /// Declares the weight of a linear layer, [out, in].
    func matrix(_ name: String, _ shape: Shape, in plan: inout Plan) -> Tensor {
        self(name, shape, matrixLayout, in: &plan)
    }
}
