import ComputeCore
import OpenCLRuntime

/// How the group path's kernels of attention, forward and backward, share out the heads; see `head_blocks.clh`.
struct HeadBlocks {
    let defines: KeyValuePairs<String, Int?>
    let global: SIMD3<Int>
    let local = SIMD3(16, 8, 1)

    init(of layer: Attention, on device: Device) {
        let (batch, length) = (layer.output.shape[0], layer.output.shape[1])
        let width = layer.paddedHeadWidth
        // A group takes 34 to 40 KB of local memory, with half as long blocks 22 to 30.
        let shrink = device.localMemoryBytes < 40 << 10 ? 2 : 1
        defines = ["LANES": 1, "HEAD_WIDTH": width, "BLOCK_ROWS": (width == 64 ? 64 : 32) / shrink]
        global = SIMD3(local.x * length.dividedRoundingUp(by: 32), local.y * layer.headCount, batch)
    }
}

extension Attention {
    /// Columns of a head for which kernels keep room, so that heads of many widths are one compilation.
    var paddedHeadWidth: Int { headWidth.roundedUp(to: 64) }
}
