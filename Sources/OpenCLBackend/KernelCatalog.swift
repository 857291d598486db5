import ComputeCore
import Foundation
import OpenCLRuntime
import Synchronization

/// Compiles kernels when they are first wanted and keeps what many executables share.
final class KernelCatalog: Sendable {
    private let context: Context
    private let rotations = Mutex<[Rotation: Table]>([:])

    /// A table lives as long as a kernel has it as an argument.
    private struct Table {
        weak var buffer: Buffer?
    }

    private struct Rotation: Hashable {
        let length: Int
        let width: Int
        let base: Float

        func table() -> [Float] {
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

    init(_ context: Context) {
        self.context = context
    }

    /// A kernel of its own for each launch, so that its arguments are bound once.
    func kernel(_ variant: KernelVariant) throws(OpenCLError) -> Kernel {
        try context.program(Specialisation(sources: variant.file.sources(), defines: variant.defines))
            .kernel(variant.entry)
    }

    /// The table [S, d] of the rotary positions: row s holds d/2 cosines, then d/2 sines, of s · θ^(−2i/d).
    ///
    /// It is computed in Double, once per length however many tasks ask for it, and shared by all layers and plans that live.
    func rotation(length: Int, width: Int, base: Float) throws(OpenCLError) -> Buffer {
        let key = Rotation(length: length, width: width, base: base)
        // Held while the table is made, so that who wants the same one waits for it.
        return try rotations.withLock { rotations throws(OpenCLError) in
            if let known = rotations[key]?.buffer { return known }
            let table = key.table()
            let buffer = try context.makeBuffer(bytes: 4 * table.count)
            try buffer.write(table)
            rotations = rotations.filter { $0.value.buffer != nil }
            rotations[key] = Table(buffer: buffer)
            return buffer
        }
    }
}
