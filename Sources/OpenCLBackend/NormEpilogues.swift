import ComputeCore
import OpenCLRuntime

/// The layer norms of a plan that the linear layer before them computes along, on rows that are still in its core's cache.
///
/// This is where that is decided: on the vector path, where a norm follows the layer whose whole output it reads, touches
/// nothing else that the layer does, and every compute unit has enough rows of its own. The bits are those of a norm by
/// itself.
struct NormEpilogues {
    /// The norms by the number of the layer before them.
    private let norms: [Int: LayerNorm]

    /// Tiles of rows that a compute unit has at least: of fewer, one more or less would weigh more than a launch.
    private static let leastTiles = 4

    init(_ operations: [any OpenCLOperation], on backend: OpenCLBackend) {
        guard backend.path == .vector else {
            norms = [:]
            return
        }
        let leastRows = Self.leastTiles * ProductTile.registers.rows * backend.context.device.computeUnits
        var norms: [Int: LayerNorm] = [:]
        for (index, pair) in zip(operations, operations.dropFirst()).enumerated() {
            guard let layer = pair.0 as? Linear, let norm = pair.1 as? LayerNorm,
                norm.input.matrix == layer.output, layer.output.rows >= leastRows,
                backend.productTile(layer.precision, depth: layer.weight.shape[1]) == .registers,
                layer.shares(nothingWith: norm.operands.filter { $0.name != "input" })
            else { continue }
            norms[index] = norm
        }
        self.norms = norms
    }

    /// The norm that an operation computes along.
    func norm(after operation: Int) -> LayerNorm? { norms[operation] }

    /// Whether the operation before computes this one along.
    func include(_ operation: Int) -> Bool { norms[operation - 1] != nil }

    /// The first operation that writes each of the norms' outputs, by those tensors' storages.
    var writers: [Int: Int] { Dictionary(norms.map { ($1.output.storage, $0) }, uniquingKeysWith: min) }
}

extension Operation {
    fileprivate func shares(nothingWith others: [Operand]) -> Bool {
        Set(operands.map(\.tensor.storage)).isDisjoint(with: others.map(\.tensor.storage))
    }
}
