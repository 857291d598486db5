import ComputeCore
import OpenCLRuntime

extension CausalConvolution: OpenCLOperation {
    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let (batch, length, channels) = (output.shape[0], output.shape[1], output.shape[2])
        let lanes = binder.path.lanes
        let span =
            switch binder.path {
            // Rows are pages apart, and a processor prefetches along some thirty pages at most.
            case .vector: 16
            case .group: 4
            case .simple: 1
            }
        let sizes: [KernelArgument] = [.int(length), .int(channels), .int(span)]
        return [
            try binder.launch(
                KernelVariant(.causalConvolution, ["LANES": lanes, "WIDTH": width]),
                global: SIMD3(channels.dividedRoundingUp(by: lanes), length.dividedRoundingUp(by: span), batch),
                local: binder.path == .vector ? SIMD3(1, 1, 1) : nil,
                sizes + binder.arguments(input)
                    + [binder.argument(weight), binder.argument(bias), binder.argument(output)])
        ]
    }
}
