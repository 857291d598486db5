import ComputeCore

/// Names the parameters of one module: the prefix that they share in `model.safetensors`, and which slot is used.
struct ParameterScope {
    let prefix: String
    let slot: ParameterKey.Slot

    /// The scope of a sub-module.
    func scope(_ name: String) -> ParameterScope { ParameterScope(prefix: "\(prefix)\(name).", slot: slot) }

    /// Declares a parameter of the module.
    func callAsFunction(
        _ name: String, _ shape: Shape, _ layout: ParameterLayout = .plain, in plan: inout Plan
    ) -> Tensor {
        plan.parameter(ParameterKey(prefix + name, slot), shape, layout)
    }
}
