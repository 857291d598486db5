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
    /// Rows that one work-item of the vector path's product owns at most.
    public var products: [ProductShape: Int] = [:]
    /// Queries that one work-item of the vector path's attention owns.
    public var attention: [AttentionShape: Int] = [:]
    /// CLBlast's parameters by kernel and name, where other values than its own were faster.
    /// A process computes with one set on a device: plans of a backend with another are refused.
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

    /// How far an element may be off, in units of 2⁻²⁴ · Σ|x·w|. A sum of K products has an error of at most K units, in
    /// practice of √K.
    package var tolerance: Double { 8 + Double(inputs) / 16 }

    /// A plan of this product alone: `input` [1, M, K] by the parameter `weight` [N, K], kept as `output` [1, M, N].
    ///
    /// - Throws: ``ValidationError`` for a size that is not positive.
    public func plan() throws(ValidationError) -> Plan {
        var plan = Plan()
        let output = plan.intermediate([1, rows, outputs])
        try plan.append(
            Linear(
                input: plan.input("input", [1, rows, inputs]).matrix,
                weight: plan.parameter(ParameterKey("weight"), [outputs, inputs], precision.matrixLayout),
                precision: precision, output: output.matrix))
        plan.keep(output, as: "output")
        return plan
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

    /// A plan of this attention alone, of the projections `input` [1, S, 3·H·d].
    ///
    /// - Throws: ``ValidationError`` for a size that attention does not have.
    public func plan() throws(ValidationError) -> Plan {
        var plan = Plan()
        let features = heads * width
        try plan.append(
            Attention(
                projections: plan.input("input", [1, length, 3 * features]), headCount: heads, rotaryBase: 10000,
                precision: precision, output: plan.intermediate([1, length, features])))
        return plan
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
    /// Rows of the attention's register tile, and the most tiles of a work-item; see `attention_tile.clh`.
    static let (attentionTileRows, mostAttentionTiles) = (6, 4)
    /// The numbers of queries of a work-item that are tried.
    static let triedAttentionRows = [1, 2, mostAttentionTiles].map { $0 * attentionTileRows }
    /// The heights of a product's block that a tuning file may hold; 8 and 16 were tried by an earlier version.
    static let allowedProductRows = Set(ProductTile.allCases.flatMap(\.blockRows) + [8, 16])
    /// The numbers of queries that a tuning file may hold; 8, 16 and 32 were tried by an earlier version.
    static let allowedAttentionRows = Set(triedAttentionRows + [8, 16, 32])

    /// Rows of a work-item, whole tiles of them, measured or by ``ProductTile/blockRows(_:outputs:rowBytes:)``.
    func rows(of shape: ProductShape, tile: ProductTile) -> Int {
        let bytes = shape.precision == .bfloat16 ? 2 : 4
        return products[shape]?.roundedUp(to: tile.rows)
            ?? tile.blockRows(shape.rows, outputs: shape.outputs, rowBytes: bytes * shape.inputs)
    }

    /// Queries of a work-item of the forward pass, whole tiles of them, measured or by ``attentionRows(length:heads:)``.
    func rows(of shape: AttentionShape) -> Int {
        guard let measured = attention[shape] else {
            return Self.attentionRows(length: shape.length, heads: shape.heads)
        }
        let tiles = measured.dividedRoundingUp(by: Self.attentionTileRows)
        return min(tiles, Self.mostAttentionTiles) * Self.attentionTileRows
    }

    /// Positions of a work-item where none was measured: those of a head share its keys in cache; short sequences are cut
    /// finer.
    static func attentionRows(length: Int, heads: Int) -> Int {
        let tall = mostAttentionTiles * attentionTileRows
        return length.dividedRoundingUp(by: tall) * heads >= 32 ? tall : attentionTileRows
    }
}
