import ComputeCore
import OpenCLRuntime

/// Element by element over the resident form, padding included: there everything is 0 and stays so.
extension AdamW: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let lanes = binder.path.lanes
        let count = try binder.buffer(weight).byteCount / 4
        return [
            try binder.launch(
                KernelVariant(.adamW, ["LANES": lanes]), global: SIMD3(count.dividedRoundingUp(by: lanes), 1, 1),
                [
                    .int(count), .float32(decay), binder.argument(schedule), binder.argument(clip),
                    binder.argument(gradient), binder.argument(weight), binder.argument(firstMoment),
                    binder.argument(secondMoment), binder.argument(average),
                ])
        ]
    }
}
