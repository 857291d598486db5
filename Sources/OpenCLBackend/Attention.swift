import ComputeCore
import OpenCLRuntime

extension Attention: OpenCLOperation {
    private var batch: Int { output.shape[0] }
    private var length: Int { output.shape[1] }
    private static let panel = ParameterPacking.panelWidth

    var roundableOperands: Set<String> { precision == .bfloat16 ? ["output"] : [] }

    /// On the vector path: the rotated keys and the values of every head in panels, of pairs or of floats.
    func scratchBytes(on backend: OpenCLBackend, given _: RoundedTensors) throws(OpenCLError) -> [Int] {
        guard backend.path == .vector else { return [] }
        let planes = batch * headCount
        let (keys, features) = (length.roundedUp(to: Self.panel), headWidth.roundedUp(to: Self.panel))
        return backend.takesPairs(precision)
            ? [2 * planes * keys * headWidth, 2 * planes * features * keys]
            : [4 * planes * keys * headWidth, 4 * planes * features * length]
    }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let rotation = try binder.backend.catalog.buffer(of: rotation)
        let inputs: [KernelArgument] = [try binder.argument(projections), .buffer(rotation)]
        // Without a log-sum-exp the kernels leave its argument unread, and the output stands in.
        let outputs = [try binder.argument(output), try binder.argument(logSumExp ?? output)]
        let sizes: [KernelArgument] = [.int(length), .int(headCount), .int(headWidth)]
        let saves = (logSumExp != nil).define
        switch binder.path {
        case .vector:
            return try panels(binder, inputs: inputs, outputs: outputs, sizes: sizes, saves: saves)
        case .group:
            let blocks = HeadBlocks(of: self, on: binder.backend.context.device)
            return [
                try binder.launch(
                    KernelVariant(.attentionTiles, blocks.defines, and: ["LSE": saves]), global: blocks.global,
                    local: blocks.local, inputs + outputs + sizes)
            ]
        case .simple:
            return [
                try binder.launch(
                    KernelVariant(.attentionNaive, ["LANES": 1, "HEAD_WIDTH": paddedHeadWidth, "LSE": saves]),
                    global: SIMD3(length, headCount, batch), inputs + outputs + sizes)
            ]
        }
    }

    private func panels(
        _ binder: Binder, inputs: [KernelArgument], outputs: [KernelArgument], sizes: [KernelArgument], saves: Int?
    ) throws(OpenCLError) -> [Command] {
        let headPanels = headWidth.dividedRoundingUp(by: Self.panel)
        let packed = binder.scratch.map(KernelArgument.buffer)
        let rows = binder.backend.tuning.rows(
            of: AttentionShape(length: length, heads: headCount, width: headWidth, precision: precision))
        let takesPairs = binder.backend.takesPairs(precision)
        let widens = precision == .bfloat16 && !takesPairs
        let packing = takesPairs ? KernelFile.attentionPanelsBF16 : .attentionPanels
        let takesTiles = binder.backend.takesTiles(precision, depth: headWidth)
        let main = takesTiles ? KernelFile.attentionAMX : packing
        // The kernel of tiles has a fixed number of queries.
        let queries = takesTiles ? Self.panel : rows
        // The same for both kernels, so that a file which holds both is compiled once.
        let defines: KeyValuePairs<String, Int?> = [
            "HEAD_PANELS": headPanels, "LSE": saves, "BFLOAT16": takesPairs.define, "ROUND_FACTORS": widens.define,
            "RESULT_BFLOAT16": binder.rounded.elementBytes(of: output),
            "TILE_ROWS": Tuning.attentionTileRows, "MAX_TILES": Tuning.mostAttentionTiles,
        ]
        return [
            try binder.launch(
                KernelVariant(packing, entry: "attention_pack", defines),
                global: SIMD3(length.dividedRoundingUp(by: Self.panel), headCount, batch), local: SIMD3(1, 1, 1),
                inputs + packed + sizes),
            try binder.launch(
                KernelVariant(main, defines),
                global: SIMD3(length.dividedRoundingUp(by: queries), headCount, batch), local: SIMD3(1, 1, 1),
                inputs + packed + outputs + sizes + (takesTiles ? [] : [.int(rows)])),
        ]
    }
}
