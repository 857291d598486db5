import ComputeCore
import Foundation

/// The table [S, d] of the rotary positions: row s holds d/2 cosines, then d/2 sines, of s · θ^(−2i/d).
struct RotaryTable: Hashable {
    /// S.
    let length: Int
    /// d, features of a head.
    let width: Int
    /// θ.
    let base: Float

    /// Bytes of the table on the device.
    var byteCount: Int { 4 * length * width }

    /// The table, computed in Double.
    func values() -> [Float] {
        let half = width / 2
        var table = [Float](repeating: 0, count: length * width)
        for i in 0..<half {
            let frequency = pow(Double(base), -2 * Double(i) / Double(width))
            for s in 0..<length {
                table[s * width + i] = Float(cos(Double(s) * frequency))
                table[s * width + half + i] = Float(sin(Double(s) * frequency))
            }
        }
        return table
    }
}

extension Attention {
    /// The table by which the heads turn, forward and backward.
    var rotation: RotaryTable { RotaryTable(length: output.shape[1], width: headWidth, base: rotaryBase) }

    var rotaryTable: RotaryTable? { rotation }
}

extension AttentionBackward {
    var rotaryTable: RotaryTable? { forward.rotation }
}
