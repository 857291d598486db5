import ComputeCore
import OpenCLRuntime

/// Sums of squares of spans of every gradient, then one factor from all of them.
///
/// A gradient is summed as it is resident; the padding of a layout is 0. Only the declared size is known before anything is
/// allocated, so it decides the number of spans, and the resident size their length.
extension GradientNorm: OpenCLOperation {
    private static let span = 16384

    private func partCount(_ gradient: Tensor) -> Int { gradient.shape.elementCount.dividedRoundingUp(by: Self.span) }

    func scratchBytes(on backend: OpenCLBackend, given _: RoundedTensors) throws(OpenCLError) -> [Int] {
        [4 * gradients.reduce(0) { $0 + partCount($1) }]
    }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let group = binder.group(atMost: 256)
        let defines: KeyValuePairs<String, Int?> = ["LANES": binder.path.lanes, "GROUP": group]
        let parts = binder.scratch[0]
        var commands: [Command] = []
        var known = 0
        for gradient in gradients {
            let buffer = try binder.buffer(gradient)
            let count = buffer.byteCount / 4
            let span = count.dividedRoundingUp(by: partCount(gradient)).roundedUp(to: 16)
            let groups = count.dividedRoundingUp(by: span)
            commands.append(
                try binder.launch(
                    KernelVariant(.normSquares, defines), global: SIMD3(groups * group, 1, 1),
                    local: SIMD3(group, 1, 1),
                    [.int(count), .int(span), .buffer(buffer), .buffer(parts), .int(known)]))
            known += groups
        }
        commands.append(
            try binder.launch(
                KernelVariant(.normSquares, entry: "clip_factor", defines), global: SIMD3(group, 1, 1),
                local: SIMD3(group, 1, 1),
                [.int(known), .float32(maximum), .buffer(parts), binder.argument(output)]))
        return commands
    }
}
