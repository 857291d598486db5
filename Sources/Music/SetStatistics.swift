/// How a set of generated pieces compares with a set of real ones.
///
/// Attribute by attribute, the overlap of two distributions of distances: among the real pieces, and between real and
/// generated ones (Yang and Lerch, On the evaluation of generative models in music, 2020); and, between neighbouring
/// frames of four bars, the overlap of the normal distributions of pitch and duration (framewise overlapping area,
/// Mittal et al., Symbolic music generation with diffusion models, 2021).
public struct SetStatistics: Sendable, Hashable, Codable {
    /// One attribute over both sets.
    public struct AttributeComparison: Sendable, Hashable, Codable {
        /// The attribute.
        public let attribute: PieceAttribute
        /// Its mean over the real pieces.
        public let reference: Double
        /// Its mean over the generated pieces.
        public let generated: Double
        /// Overlap of the distances, 0...1.
        public let overlap: Double
    }

    /// Framewise overlapping area of one quantity.
    public struct FramewiseComparison: Sendable, Hashable, Codable {
        /// Mean over the real pieces.
        public let reference: Double
        /// Mean over the generated pieces.
        public let generated: Double
        /// 1 − |generated − reference| / reference of the means, at least 0.
        public let consistency: Double
        /// The same of the population variances.
        public let variance: Double
    }

    /// Generated pieces that were compared.
    public let pieces: Int
    /// Generated pieces of fewer than eight notes, which were not.
    public let tooShort: Int
    /// Every attribute that both sets have.
    public let attributes: [AttributeComparison]
    /// The mean overlap over ``attributes``.
    public let meanOverlap: Double
    /// The pitch of neighbouring frames, nil where no piece has two frames.
    public let pitchFrames: FramewiseComparison?
    /// The duration of neighbouring frames, nil where no piece has two frames.
    public let durationFrames: FramewiseComparison?
}

// MARK: - Comparison

extension SetStatistics {
    /// Real pieces as they are compared: aligned, cut to a number of bars from a seeded bar line.
    ///
    /// - Parameters:
    ///   - pieces: The pieces in the order of their list, on which the cuts depend.
    ///   - bars: The length to cut to.
    ///   - seed: Seed of the bar lines.
    public static func references(_ pieces: [StatisticsPiece], bars: Int = 28, seed: UInt32 = 909) -> [StatisticsPiece]
    {
        var generator = PCG64(seed: seed)
        return pieces.map { piece in
            let aligned = piece.aligned()
            let first = generator.integer(below: max(1, aligned.barCount - bars + 1))
            return aligned.bars(from: first, count: bars)
        }
    }

    /// Compares generated pieces, as they are, with real ones from ``references(_:bars:seed:)``.
    ///
    /// - Throws: ``SetStatisticsError`` where too few pieces have eight notes.
    public init(generated: [StatisticsPiece], references: [StatisticsPiece]) throws {
        try self.init(generated: generated, references: references, quarter: nil)
    }

    /// - Parameter quarter: Which of the pieces' quarters they are, for the error.
    private init(generated: [StatisticsPiece], references: [StatisticsPiece], quarter: Int?) throws {
        let real = references.filter { $0.notes.count >= StatisticsPiece.fewestNotes }
        let made = generated.filter { $0.notes.count >= StatisticsPiece.fewestNotes }
        guard real.count >= 2, !made.isEmpty else {
            throw SetStatisticsError.tooFewPieces(
                generated: made.count, references: real.count, quarter: quarter)
        }
        pieces = made.count
        tooShort = generated.count - made.count
        let realValues = real.map { $0.attributes() }
        let madeValues = made.map { $0.attributes() }
        attributes = PieceAttribute.allCases.compactMap { attribute in
            let x = realValues.compactMap { $0[attribute] }
            let y = madeValues.compactMap { $0[attribute] }
            guard x.count >= 2, !y.isEmpty else { return nil }
            return AttributeComparison(
                attribute: attribute, reference: x.mean, generated: y.mean,
                overlap: Self.overlap(Self.distances(among: x), Self.distances(between: x, and: y)))
        }
        meanOverlap = attributes.map(\.overlap).mean
        let realFrames = real.compactMap { $0.framewiseOverlap() }
        let madeFrames = made.compactMap { $0.framewiseOverlap() }
        pitchFrames = FramewiseComparison(reference: realFrames.map(\.pitch), generated: madeFrames.map(\.pitch))
        durationFrames = FramewiseComparison(
            reference: realFrames.map(\.duration), generated: madeFrames.map(\.duration))
    }

    /// The comparison by quarter of the pieces, each quarter against the same one, to show drift.
    ///
    /// - Parameters:
    ///   - generated: The generated pieces.
    ///   - references: The real pieces from ``references(_:bars:seed:)``.
    ///   - bars: The length of a whole piece, at least 4; later bars are not looked at.
    /// - Throws: ``SetStatisticsError`` where too few pieces have eight notes in a quarter.
    public static func byQuarter(
        generated: [StatisticsPiece], references: [StatisticsPiece], bars: Int = 28
    ) throws -> [SetStatistics] {
        try (0..<4).map { quarter in
            let first = bars * quarter / 4
            let count = bars * (quarter + 1) / 4 - first
            return try SetStatistics(
                generated: generated.map { $0.bars(from: first, count: count) },
                references: references.map { $0.bars(from: first, count: count) }, quarter: quarter + 1)
        }
    }
}

/// Why two sets cannot be compared.
public enum SetStatisticsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Fewer than one generated or two real pieces have eight notes, if `quarter` says so in that one of their quarters, 1 to 4.
    case tooFewPieces(generated: Int, references: Int, quarter: Int? = nil)

    /// One line: what is needed and what there is.
    public var description: String {
        switch self {
        case .tooFewPieces(let generated, let references, let quarter):
            "pieces of at least \(StatisticsPiece.fewestNotes) notes"
                + (quarter.map { " in their quarter \($0) of 4" } ?? "")
                + ": needed 1 generated and 2 reference, got \(generated) and \(references)"
        }
    }
}

extension SetStatistics.FramewiseComparison {
    fileprivate init?(reference: [Double], generated: [Double]) {
        guard !reference.isEmpty, !generated.isEmpty else { return nil }
        func agreement(_ generated: Double, _ reference: Double) -> Double {
            if reference == 0 { return generated == 0 ? 1 : 0 }
            return max(0, 1 - abs(generated - reference) / reference)
        }
        self.reference = reference.mean
        self.generated = generated.mean
        consistency = agreement(generated.mean, reference.mean)
        variance = agreement(generated.variance, reference.variance)
    }
}

extension [Double] {
    /// The mean; 0 for none.
    var mean: Double { isEmpty ? 0 : reduce(0, +) / Double(count) }

    /// The population variance; 0 for none.
    var variance: Double {
        let mean = mean
        return map { ($0 - mean) * ($0 - mean) }.mean
    }

    /// The middle value, of an even number the mean of the two in the middle; 0 for none.
    package var median: Double {
        guard !isEmpty else { return 0 }
        let sorted = sorted()
        return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
    }
}
