import ComputeCore
import OpenCLRuntime

/// What a product of float32 factors has to give, by the plain kernel, and how far another kernel may be off.
struct ProductCheck {
    private let shape: ProductShape
    private let expected: [Float]
    private let bounds: [Double]

    /// - Throws: what compiling and running on the device throw.
    init(_ shape: ProductShape, on context: Context) throws {
        self.shape = shape
        let plain = OpenCLBackend(context, path: .simple)
        expected = try Self.product(shape, on: plain)
        bounds = try Self.product(shape, on: plain) { abs($0) }.map { 0x1p-24 * shape.tolerance * Double($0) }
    }

    /// Whether a backend gives that.
    ///
    /// - Throws: what compiling and running on the device throw.
    func passes(on backend: OpenCLBackend) throws -> Bool {
        let found = try Self.product(shape, on: backend)
        // Written so that NaN fails.
        return found.indices.allSatisfy { abs(Double(found[$0]) - Double(expected[$0])) <= bounds[$0] }
    }

    private static func product(
        _ shape: ProductShape, on backend: OpenCLBackend, of change: (Float) -> Float = { $0 }
    ) throws -> [Float] {
        let weight = values(shape.outputs * shape.inputs, step: 6151).map(change)
        let plan = try shape.plan()
        let source = try plan.parameters.map { try ParameterSource($0.key, $0.layout, $0.shape, weight) }
        let executable = try backend.compile(plan, parameters: backend.prepare(source))
        let input = values(shape.rows * shape.inputs, step: 7919).map(change)
        try executable.write("input", HostTensor([1, shape.rows, shape.inputs], input))
        try executable.run()
        return try executable.read("output").floats()
    }

    /// Numbers in −1...1 of which no two neighbours along a row or a column are equal.
    private static func values(_ count: Int, step: Int) -> [Float] {
        (0..<count).map { Float($0 &* step % 12_289) / 6144 - 1 }
    }
}
