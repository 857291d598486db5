import ComputeCore

/// A backend that counts the bytes it would have to hold and computes nothing.
struct CountingBackend: Backend {
    var identity: BackendIdentity { BackendIdentity(device: "none", driver: "none", kernelPath: "none") }

    func prepare(_ parameters: [ParameterSource]) throws -> any ParameterStore {
        Store(keys: parameters.map(\.key), byteCount: parameters.reduce(0) { $0 + 4 * $1.shape.elementCount })
    }

    func compile(_ plan: Plan, parameters: any ParameterStore) throws -> any Executable {
        _ = plan.storages.reduce(0) { $0 + $1.byteCount }
        return Run(plan: plan)
    }

    func memory(of plan: Plan) throws -> MemoryPlan { Run.nothing }
    func memory(of parameters: [ParameterDeclaration]) -> Int { 0 }

    private final class Store: ParameterStore {
        let keys: [ParameterKey]
        let byteCount: Int

        init(keys: [ParameterKey], byteCount: Int) {
            self.keys = keys
            self.byteCount = byteCount
        }

        func read(_ key: ParameterKey) throws -> HostTensor { throw BackendError.unknownParameter(key) }
        func write(_ key: ParameterKey, _ values: [Float]) throws {}
    }

    private final class Run: Executable {
        static let nothing = MemoryPlan(
            Plan(), scratchBytes: [], constraints: MemoryPlan.Constraints(alignment: 4, maximumBlockBytes: 0))
        private let plan: Plan

        init(plan: Plan) { self.plan = plan }

        var memory: MemoryPlan { Self.nothing }
        func write(_ name: String, _ values: HostTensor) throws { _ = try plan.tensor(named: name, fitting: values) }
        func run() throws {}
        func trace(_ visit: (any Operation, [String: HostTensor]) throws -> Bool) throws {}
        func wait() throws {}

        /// Zeros: a loss, and a gradient's norm with its factor.
        func read(_ name: String) throws -> HostTensor {
            let shape = try plan.tensor(named: name).shape
            return try HostTensor(shape, [Float](repeating: 0, count: shape.elementCount))
        }
    }
}
