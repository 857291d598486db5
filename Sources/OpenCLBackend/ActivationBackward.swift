import ComputeCore
import OpenCLRuntime

extension ActivationBackward: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let lanes = binder.path.lanes
        return [
            try binder.launch(
                KernelVariant(.activationBackward, ["LANES": lanes]).defining("SLOPE", "\(activation.rawValue)_slope"),
                global: SIMD3(gradient.columns.dividedRoundingUp(by: lanes), gradient.rows, 1),
                binder.arguments(gradient) + binder.arguments(saved) + [.int(gradient.columns)])
        ]
    }
}
