import ComputeCore
import OpenCLRuntime

extension SumValues: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let group = binder.sumGroup
        return [
            try binder.launch(
                KernelVariant(.sumValues, ["LANES": binder.path.lanes, "GROUP": group]), global: SIMD3(group, 1, 1),
                local: SIMD3(group, 1, 1),
                [.int(values.shape.elementCount), binder.argument(values), binder.argument(output)])
        ]
    }
}

extension Binder {
    /// Work-items that add up an array together: a power of two.
    var sumGroup: Int { path == .group ? min(256, backend.context.device.maxWorkGroupSize) : 1 }
}
