import ComputeCore
import ReferenceBackend

/// One operation, its inputs by name, and a run of it on the reference.
struct SingleRun {
    private var plan = Plan()
    private var inputs: [String: HostTensor] = [:]
    private var weights: [ParameterSource] = []

    /// Declares a float input with its values.
    mutating func floats(_ name: String, _ shape: Shape, _ values: [Float]) throws -> Tensor {
        inputs[name] = try HostTensor(shape, values)
        return plan.input(name, shape)
    }

    /// Declares a weight with its values.
    mutating func weight(_ shape: Shape, _ layout: ParameterLayout, _ values: [Float]) throws -> Tensor {
        let key = ParameterKey("weight")
        weights.append(try ParameterSource(key, layout, shape, values))
        return plan.parameter(key, shape, layout)
    }

    /// Declares an integer input with its values.
    mutating func integers(_ name: String, _ shape: Shape, _ values: [Int32]) throws -> Tensor {
        inputs[name] = try HostTensor(shape, values)
        return plan.input(name, shape, .int32)
    }

    /// Declares an output that can be read.
    mutating func output(_ name: String, _ shape: Shape, _ elementType: ElementType = .float32) -> Tensor {
        let tensor = plan.intermediate(shape, elementType)
        plan.keep(tensor, as: name)
        return tensor
    }

    /// Runs the operation.
    ///
    /// - Returns: What reads a float tensor by name.
    mutating func results(of operation: some Operation) throws -> (String) throws -> [Float] {
        let executable = try executable(of: operation)
        return { try executable.read($0).floats() }
    }

    /// Runs the operation.
    ///
    /// - Returns: What reads an integer tensor by name.
    mutating func integerResults(of operation: some Operation) throws -> (String) throws -> [Int32] {
        let executable = try executable(of: operation)
        return { try executable.read($0).integers() }
    }

    /// The operation, run.
    mutating func executable(of operation: some Operation) throws -> any Executable {
        try plan.append(operation)
        let backend = ReferenceBackend()
        let executable = try backend.compile(plan, parameters: backend.prepare(weights))
        for (name, values) in inputs { try executable.write(name, values) }
        try executable.run()
        return executable
    }
}
