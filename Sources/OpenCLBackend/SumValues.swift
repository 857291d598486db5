import ComputeCore
import OpenCLRuntime

extension SumValues: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let group = binder.group(atMost: 256)
        return [
            try binder.launch(
                KernelVariant(.sumValues, ["LANES": binder.path.lanes, "GROUP": group]), global: SIMD3(group, 1, 1),
                local: SIMD3(group, 1, 1),
                [.int(values.shape.elementCount), binder.argument(values), binder.argument(output)])
        ]
    }
}
