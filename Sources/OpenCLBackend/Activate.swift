import ComputeCore
import OpenCLRuntime

extension Activate: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let (lanes, count) = (binder.path.lanes, input.shape.elementCount)
        return [
            try binder.launch(
                KernelVariant(.activate, ["LANES": lanes]).defining("ACTIVATION", activation.functionName),
                global: SIMD3(count.dividedRoundingUp(by: lanes), 1, 1),
                [.int(count), binder.argument(input), binder.argument(output)])
        ]
    }
}

extension Activation {
    /// The function's name in `activation.clh`.
    var functionName: String { self == .none ? "identity" : rawValue }
}
