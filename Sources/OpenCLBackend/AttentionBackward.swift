import ComputeCore
import OpenCLRuntime

extension AttentionBackward: OpenCLOperation {
    private var batch: Int { forward.output.shape[0] }
    private var length: Int { forward.output.shape[1] }
    private var heads: Int { forward.headCount }
    private var width: Int { forward.headWidth }
    private static let panel = ParameterPacking.panelWidth

    /// On the vector path, for every head, four matrices in turned panels of depth d + 1 and three in rows; on the group
    /// path each query's sum of dy·y.
    func scratchBytes(on backend: OpenCLBackend, given _: RoundedTensors) throws(OpenCLError) -> [Int] {
        switch backend.path {
        case .vector:
            let turned = length.roundedUp(to: Self.panel) * (width + 1)
            let rows = width.roundedUp(to: Self.panel) * length
            return [4 * batch * heads * (4 * turned + 3 * rows)]
        case .group: return [4 * batch * heads * length]
        case .simple: return []
        }
    }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let rotation = KernelArgument.buffer(
            try binder.backend.catalog.buffer(of: forward.rotation))
        guard let logSumExp = forward.logSumExp else {
            throw .invalidArgument(name: "logSumExp", expected: "a tensor", got: "none")
        }
        let inputs = [try binder.argument(forward.projections), rotation]
        let output = try binder.argument(forward.output)
        let saved = [try binder.argument(outputGradient), try binder.argument(logSumExp)]
        let target = try binder.argument(projectionsGradient)
        let sizes: [KernelArgument] = [.int(length), .int(heads), .int(width)]
        switch binder.path {
        case .vector:
            return try panels(
                binder, inputs: inputs + [output] + saved, rotation: rotation, target: target, sizes: sizes)
        case .group:
            let blocks = HeadBlocks(of: forward, on: binder.backend.context.device)
            let tail = [.buffer(binder.scratch[0]), target] + sizes
            return try [
                ("attention_backward_queries_tiles", inputs + [output] + saved + tail),
                ("attention_backward_keys_tiles", inputs + saved + tail),
            ].map { name, arguments throws(OpenCLError) in
                try binder.launch(
                    KernelVariant(.attentionBackwardTiles, entry: name, blocks.defines), global: blocks.global,
                    local: blocks.local, arguments)
            }
        case .simple:
            return try ["attention_backward_queries_naive", "attention_backward_keys_naive"].map {
                name throws(OpenCLError) in
                try binder.launch(
                    KernelVariant(
                        .attentionBackwardNaive, entry: name, ["LANES": 1, "HEAD_WIDTH": forward.paddedHeadWidth]),
                    global: SIMD3(length, heads, batch), inputs + [output] + saved + [target] + sizes)
            }
        }
    }

    private func panels(
        _ binder: Binder, inputs: [KernelArgument], rotation: KernelArgument, target: KernelArgument,
        sizes: [KernelArgument]
    ) throws(OpenCLError) -> [Command] {
        let packed = KernelArgument.buffer(binder.scratch[0])
        let defines: KeyValuePairs<String, Int?> = [
            "HEAD_PANELS": width.dividedRoundingUp(by: Self.panel),
            "TILE_ROWS": Tuning.attentionTileRows, "MAX_TILES": Tuning.mostAttentionTiles,
        ]
        let rows = Tuning.attentionRows(length: length, heads: heads)
        let pack = try binder.launch(
            KernelVariant(.attentionBackwardPanels, entry: "attention_backward_pack", defines),
            global: SIMD3(length.dividedRoundingUp(by: Self.panel), heads, batch), local: SIMD3(1, 1, 1),
            inputs + [packed] + sizes)
        return try [pack]
            + ["attention_backward_queries", "attention_backward_keys"].map { name throws(OpenCLError) in
                try binder.launch(
                    KernelVariant(.attentionBackwardPanels, entry: name, defines),
                    global: SIMD3(length.dividedRoundingUp(by: rows), heads, batch), local: SIMD3(1, 1, 1),
                    [packed, rotation, target] + sizes + [.int(rows)])
            }
    }
}
