import ComputeCore
import OpenCLRuntime
import Synchronization

/// Compiles kernels when they are first wanted and keeps what many executables share.
final class KernelCatalog: Sendable {
    private let context: Context
    private let rotations = Mutex<[RotaryTable: Table]>([:])

    /// A table lives as long as a kernel has it as an argument.
    private struct Table {
        weak var buffer: Buffer?
    }

    init(_ context: Context) {
        self.context = context
    }

    /// A kernel of its own for each launch, so that its arguments are bound once.
    func kernel(_ variant: KernelVariant) throws(OpenCLError) -> Kernel {
        try context.program(Specialisation(sources: variant.file.sources(), defines: variant.defines))
            .kernel(variant.entry)
    }

    /// A table on the device, made once however many tasks ask for it, and shared by all layers and plans that live.
    func buffer(of table: RotaryTable) throws(OpenCLError) -> Buffer {
        // Held while the table is made, so that who wants the same one waits for it.
        try rotations.withLock { rotations throws(OpenCLError) in
            if let known = rotations[table]?.buffer { return known }
            let buffer = try context.makeBuffer(bytes: table.byteCount)
            try buffer.write(table.values())
            rotations = rotations.filter { $0.value.buffer != nil }
            rotations[table] = Table(buffer: buffer)
            return buffer
        }
    }

    /// The sizes of those tables that are not on the device.
    func bytesToMake(_ tables: Set<RotaryTable>) -> [Int] {
        rotations.withLock { rotations in tables.filter { rotations[$0]?.buffer == nil }.map(\.byteCount) }
    }
}
