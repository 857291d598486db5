import OpenCLRuntime

extension OnDevice {
    /// A context of its own for a test, without the disk cache.
    static func context(profiling: Bool = false, memoryLimit: Int? = nil) throws -> Context {
        try Context(device: Device.select(), profiling: profiling, memoryLimit: memoryLimit, binaryCache: .off)
    }

    /// y[i] = factor · x[i] + shift, in one file.
    static let scale = Specialisation(
        sources: [
            .init(
                fileName: "scale.cl",
                text: """
                    __kernel void scale(__global const float* x, __global float* y, float factor, int shift) {
                        const size_t i = get_global_id(0);
                        y[i] = factor * x[i] + FACTOR_OF_SHIFT * shift;
                    }
                    """)
        ], defines: [.init("FACTOR_OF_SHIFT", 1)])

    /// What `scale` makes of 0, 1, …, 15 with factor 2 and shift 1, computed by the device.
    static func runScale(_ program: Program, in context: Context) throws -> [Float] {
        let x = try context.makeBuffer(bytes: 64)
        let y = try context.makeBuffer(bytes: 64)
        try x.enqueueWrite((0..<16).map(Float.init))
        let kernel = try program.kernel("scale")
        try kernel.bind([.buffer(x), .buffer(y), .float32(2), .int32(1)])
        try context.enqueue(kernel, global: SIMD3(16, 1, 1))
        return try y.read(count: 16)
    }

    static let scaled = (0..<16).map { Float(2 * $0 + 1) }
}
