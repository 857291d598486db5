import ComputeCore
import OpenCLRuntime

/// Parameters in device memory, each in the one layout that its path wants.
final class OpenCLParameters: ParameterStore {
    struct Parameter: Sendable {
        let shape: Shape
        let layout: ParameterLayout
        let packing: ParameterPacking
        let buffer: Buffer
    }

    let context: Context
    private let path: KernelPath
    private let takesPairs: Bool
    private let parameters: [ParameterKey: Parameter]

    /// - Throws: ``OpenCLError``, `outOfMemory` with the bytes of all parameters before the first of them has memory.
    init(_ sources: [ParameterSource], backend: OpenCLBackend) throws(OpenCLError) {
        (context, path, takesPairs) = (backend.context, backend.path, backend.takesPairs(.bfloat16))
        let packings = sources.map { backend.packing($0.layout, $0.shape) }
        let buffers = try context.makeBuffers(bytes: packings.map(\.byteCount))
        var parameters: [ParameterKey: Parameter] = [:]
        for (source, (packing, buffer)) in zip(sources, zip(packings, buffers)) {
            if let values = source.values {
                try packing.write(values, to: buffer)
            } else {
                try buffer.fill(with: Float(0))
            }
            parameters[source.key] = Parameter(
                shape: source.shape, layout: source.layout, packing: packing, buffer: buffer)
        }
        self.parameters = parameters
    }

    /// Whether the parameters lie where and as the kernels of a backend take them.
    func suit(_ backend: OpenCLBackend) -> Bool {
        context === backend.context && path == backend.path && takesPairs == backend.takesPairs(.bfloat16)
    }

    var byteCount: Int { parameters.values.reduce(0) { $0 + $1.buffer.byteCount } }
    var keys: [ParameterKey] { Array(parameters.keys) }

    func parameter(_ key: ParameterKey) throws(BackendError) -> Parameter {
        guard let parameter = parameters[key] else { throw .unknownParameter(key) }
        return parameter
    }

    func read(_ key: ParameterKey) throws -> HostTensor {
        let parameter = try parameter(key)
        return try HostTensor(parameter.shape, parameter.packing.read(parameter.buffer))
    }

    func write(_ key: ParameterKey, _ values: [Float]) throws {
        let parameter = try parameter(key)
        guard parameter.shape.elementCount == values.count else {
            throw BackendError.parameterMismatch(key, expected: "\(parameter.shape)", found: "\(values.count) values")
        }
        try parameter.packing.write(values, to: parameter.buffer)
    }
}
