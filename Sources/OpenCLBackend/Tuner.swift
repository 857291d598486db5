public import ComputeCore
public import OpenCLRuntime

/// Measures on a device which of its choices are the fastest for the operations of a plan; see ``Tuning``.
public struct Tuner {
    /// One choice and the best time that it had.
    public struct Measurement: Sendable {
        /// What was run, such as `linear 512 2048 512 f32`.
        public let subject: String
        /// What was chosen, such as `64 rows`.
        public let choice: String
        /// Of one run; nil where the device refused the choice, or computed something else with it.
        public let seconds: Double?
    }

    private let context: Context
    private let plan: Plan
    private let parameters: [ParameterSource]
    private let report: (Measurement) -> Void
    /// What is tried beside CLBlast's own parameters.
    package var candidates = BLASCandidates.all

    /// Rounds in which every choice is run once; the best time counts, so that a disturbance hits no choice alone.
    private static let rounds = 12

    /// A tuner for the operations of `plan`.
    ///
    /// - Parameters:
    ///   - parameters: Those of the plan, for running it as a whole.
    ///   - report: Is shown each measurement.
    public init(
        _ plan: Plan, parameters: [ParameterSource], on context: Context, report: @escaping (Measurement) -> Void
    ) {
        self.plan = plan
        self.parameters = parameters
        self.context = context
        self.report = report
    }

    /// `known` with the choices that were the fastest for this plan.
    ///
    /// CLBlast computes with the parameters that were tried last from here on, or those that won, in the whole process: for a
    /// plan of float32 factors, call this once, in a process that computes with no other backend on the device.
    ///
    /// - Throws: what compiling and running on the device throw; ``OpenCLError/invalidArgument(name:expected:got:)`` if
    ///   CLBlast was given parameters before.
    public func tune(_ known: Tuning) throws -> Tuning {
        var tuning = known
        if context.device.kind == .cpu {
            let vector = OpenCLBackend(context, path: .vector)
            for shape in productShapes {
                let choices = vector.productTile(shape.precision, depth: shape.inputs).blockRows
                tuning.products[shape] = try fastest("linear \(shape)", choices, unit: "rows") { rows in
                    var trial = Tuning.none
                    trial.products[shape] = rows
                    return try executable(of: shape.plan(), path: .vector, tuning: trial)
                }
            }
            // Attention on the matrix tiles has no choice.
            for shape in attentionShapes where !vector.takesTiles(shape.precision, depth: shape.width) {
                tuning.attention[shape] = try fastest(
                    "attention \(shape)", Tuning.triedAttentionRows, unit: "queries"
                ) { rows in
                    var trial = Tuning.none
                    trial.attention[shape] = rows
                    return try executable(of: shape.plan(), path: .vector, tuning: trial)
                }
            }
        }
        guard plan.operations.allSatisfy({ $0.isOfFloat32 }) else { return tuning }
        // CLBlast has no way back to its own parameters, so all that is measured with them comes first.
        tuning.clblast = [:]
        tuning.path = try fastestPath("step", tuning)
        tuning.clblast = try fastestBLAS()
        if !tuning.clblast.isEmpty { tuning.path = try fastestPath("step, CLBlast tuned", tuning) }
        return tuning
    }

    // MARK: - Measuring

    private func fastest<Choice>(
        _ subject: String, _ choices: [Choice], unit: String, _ make: (Choice) throws -> any Executable
    ) throws -> Choice? {
        let executables = try choices.map(make)
        let seconds = try bestSeconds(of: executables)
        for (choice, seconds) in zip(choices, seconds) {
            report(Measurement(subject: subject, choice: "\(choice) \(unit)", seconds: seconds))
        }
        return zip(choices, seconds).min { $0.1 < $1.1 }?.0
    }

    /// The best seconds of a run of each executable, taken in turns.
    private func bestSeconds(of executables: [any Executable]) throws -> [Double] {
        var best = [Double](repeating: .infinity, count: executables.count)
        for round in 0...Self.rounds {
            for (index, executable) in executables.enumerated() {
                let start = ContinuousClock.now
                try executable.run()
                try executable.wait()
                let duration = (ContinuousClock.now - start) / .seconds(1)
                // The first round builds kernels.
                if round > 0 { best[index] = min(best[index], duration) }
            }
        }
        return best
    }

    /// The family of kernels with which the whole plan takes the least time.
    private func fastestPath(_ subject: String, _ tuning: Tuning) throws -> KernelPath? {
        let paths: [KernelPath] = context.device.kind == .cpu ? [.vector, .group] : [.group]
        return try fastest(subject, paths, unit: "kernels") { path in
            let backend = OpenCLBackend(context, path: path, tuning: tuning)
            return try backend.compile(plan, parameters: backend.prepare(parameters))
        }
    }

    /// CLBlast's own parameters, or the candidate with which the plan's products take the least time in all.
    private func fastestBLAS() throws -> [String: [String: Int]] {
        var best: (parameters: [String: [String: Int]], seconds: Double) = ([:], .infinity)
        let checks = try productShapes.map { try ProductCheck($0, on: context) }
        for candidate in [(name: "CLBlast as it comes", parameters: [:])] + candidates {
            let seconds = try blasSeconds(candidate.parameters, checks)
            report(Measurement(subject: "products", choice: candidate.name, seconds: seconds))
            if let seconds, seconds < best.seconds { best = (candidate.parameters, seconds) }
        }
        if !best.parameters.isEmpty { try BLASProduct.use(best.parameters, on: context.device, replaces: true) }
        return best.parameters
    }

    /// The seconds of the plan's products, each once; nil if CLBlast or the device refuses these parameters, which may ask for
    /// more local memory or larger work-groups than there are, or if a driver's compiler makes another product of them.
    private func blasSeconds(_ parameters: [String: [String: Int]], _ checks: [ProductCheck]) throws -> Double? {
        var trial = Tuning.none
        trial.clblast = parameters
        do {
            try BLASProduct.use(parameters, on: context.device, replaces: true)
            let backend = OpenCLBackend(context, path: .group, tuning: trial)
            guard try checks.allSatisfy({ try $0.passes(on: backend) }) else { return nil }
            return try productShapes.reduce(0) { seconds, shape in
                try seconds + bestSeconds(of: [executable(of: shape.plan(), path: .group, tuning: trial)])[0]
            }
        } catch OpenCLError.callFailed where !parameters.isEmpty { return nil }
    }

    private func executable(of plan: Plan, path: KernelPath, tuning: Tuning) throws -> any Executable {
        let backend = OpenCLBackend(context, path: path, tuning: tuning)
        return try backend.compile(
            plan, parameters: backend.prepare(plan.parameters.map(ParameterSource.init(zeros:))))
    }

    // MARK: - Shapes

    private var productShapes: [ProductShape] {
        plan.operations.compactMap { ($0 as? Linear)?.productShape }.unique
    }

    private var attentionShapes: [AttentionShape] {
        plan.operations.compactMap { ($0 as? Attention)?.attentionShape }.unique
    }
}

extension Linear {
    /// The product as tuning knows it.
    var productShape: ProductShape {
        ProductShape(
            rows: input.rowsPerSample, outputs: weight.shape[0], inputs: weight.shape[1], precision: precision)
    }
}

extension Attention {
    /// The attention as tuning knows it.
    var attentionShape: AttentionShape {
        AttentionShape(length: output.shape[1], heads: headCount, width: headWidth, precision: precision)
    }
}

extension Operation {
    fileprivate var isOfFloat32: Bool { (self as? any OpenCLOperation)?.precision == .float32 }
}

extension Array where Element: Hashable {
    /// The elements in order, each once.
    fileprivate var unique: [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
