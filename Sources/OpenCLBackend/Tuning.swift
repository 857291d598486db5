public import ComputeCore

/// What was measured by ``Tuner`` to be the fastest on a device; what was not measured follows rules.
///
/// Rows and queries of a work-item change no bit of a result; the family of kernels and CLBlast's parameters do. A choice
/// depends on the shape of one sample, never on the batch.
public struct Tuning: Hashable, Sendable {
    /// Where the choices come from, such as a file's path; nil if nothing was measured.
    public var origin: String?
    /// The fastest family of kernels.
    public var path: KernelPath?
    /// Rows that one work-item of the vector path's product owns.
    public var products: [ProductShape: Int] = [:]
    /// Queries that one work-item of the vector path's attention owns.
    public var attention: [AttentionShape: Int] = [:]
    /// CLBlast's parameters by kernel and name, where other values than its own were faster.
    public var clblast: [String: [String: Int]] = [:]

    /// No measured choices.
    public static let none = Tuning()

    /// No measured choices; fill in what is known.
    public init() {}
}

/// A matrix product as tuning knows it.
public struct ProductShape: Hashable, Sendable, CustomStringConvertible {
    /// Rows of one sample.
    public let rows: Int
    /// N.
    public let outputs: Int
    /// K.
    public let inputs: Int
    /// Of the factors.
    public let precision: Precision

    /// A shape.
    public init(rows: Int, outputs: Int, inputs: Int, precision: Precision) {
        self.rows = rows
        self.outputs = outputs
        self.inputs = inputs
        self.precision = precision
    }

    /// `512 2048 512 f32`: M, N, K and the precision.
    public var description: String { "\(rows) \(outputs) \(inputs) \(precision.rawValue)" }

    /// The shape of that description.
    public init?(_ description: String) {
        guard let (sizes, precision) = parse(description) else { return nil }
        self.init(rows: sizes[0], outputs: sizes[1], inputs: sizes[2], precision: precision)
    }
}

/// An attention as tuning knows it.
public struct AttentionShape: Hashable, Sendable, CustomStringConvertible {
    /// S.
    public let length: Int
    /// H.
    public let heads: Int
    /// d, features of a head.
    public let width: Int
    /// Of the factors.
    public let precision: Precision

    /// A shape.
    public init(length: Int, heads: Int, width: Int, precision: Precision) {
        self.length = length
        self.heads = heads
        self.width = width
        self.precision = precision
    }

    /// `512 8 64 f32`: S, H, d and the precision.
    public var description: String { "\(length) \(heads) \(width) \(precision.rawValue)" }

    /// The shape of that description.
    public init?(_ description: String) {
        guard let (sizes, precision) = parse(description) else { return nil }
        self.init(length: sizes[0], heads: sizes[1], width: sizes[2], precision: precision)
    }
}

/// Three positive sizes and a precision.
private func parse(_ description: String) -> (sizes: [Int], precision: Precision)? {
    let parts = description.split(separator: " ")
    let sizes = parts.prefix(3).compactMap { Int($0) }
    guard parts.count == 4, sizes.count == 3, sizes.allSatisfy({ $0 > 0 }),
        let precision = Precision(rawValue: String(parts[3]))
    else { return nil }
    return (sizes, precision)
}

extension Tuning {
    /// The block heights that a product may have; 8 and 16 are of earlier tuning files, and rounded up to whole tiles.
    static let productRows = Set(ProductTile.allCases.flatMap(\.blockRows) + [8, 16])
    /// The query counts that the attention's kernel takes.
    static let attentionRows = [8, 16, 32]

    /// Rows of a work-item, whole tiles of them, measured or by ``ProductTile/blockRows(_:outputs:rowBytes:)``.
    func rows(of shape: ProductShape, tile: ProductTile) -> Int {
        let bytes = shape.precision == .bfloat16 ? 2 : 4
        return products[shape]?.roundedUp(to: tile.rows)
            ?? tile.blockRows(shape.rows, outputs: shape.outputs, rowBytes: bytes * shape.inputs)
    }

    /// Queries of a work-item: 32 of a head share its keys in cache; short sequences are cut finer.
    func rows(of shape: AttentionShape) -> Int {
        if let measured = attention[shape] { return measured }
        return shape.length.dividedRoundingUp(by: 32) * shape.heads >= 32 ? 32 : 8
    }
}
