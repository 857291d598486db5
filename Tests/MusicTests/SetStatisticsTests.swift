import Foundation
import Music
import Testing

@Suite("Set statistics")
struct SetStatisticsTests {
    private static let count = 110

    /// The notes of `made_up_piece` in make_fixtures.py.
    private func piece(_ index: Int) throws -> StatisticsPiece {
        var state = 12345 + index
        var onset = 7 * index
        var notes: [Note] = []
        for number in 0..<40 + 5 * (index % 40) {
            let draws = (0..<4).map { _ in
                state = (state * 1_103_515_245 + 12345) % (1 << 31)
                return state >> 16
            }
            onset += 120 * (draws[0] % (3 + index % 3))
            let pitch = 36 + 6 * (number % 8) + draws[1] % 6 + index % 5
            notes.append(
                Note(tick: onset, duration: 60 * (1 + draws[2] % 8), pitch: pitch, velocity: 40 + draws[3] % 60))
            onset += 120
        }
        return try StatisticsPiece(notes, division: 480)
    }

    private func expected() throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("statistics.json")))
        return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test("Every figure is that of the reference evaluation, to the digits that it prints")
    func figures() throws {
        let references = try SetStatistics.references((0..<Self.count).map(piece), bars: 12)
        let generated = try (Self.count..<2 * Self.count).map(piece)
        let statistics = try SetStatistics(generated: generated, references: references)
        let expected = try expected()
        #expect(statistics.pieces == expected["pieces"] as? Int)
        #expect(statistics.tooShort == expected["too_short"] as? Int)

        let attributes = try #require(expected["attributes"] as? [String: [String: Double]])
        #expect(Set(statistics.attributes.map(\.attribute.rawValue)) == Set(attributes.keys))
        for comparison in statistics.attributes {
            let figures = try #require(attributes[comparison.attribute.rawValue])
            for (value, key) in [
                (comparison.reference, "reference"), (comparison.generated, "generated"), (comparison.overlap, "oa"),
            ] {
                #expect(abs(value - (figures[key] ?? .nan)) <= 0.00051, "\(comparison.attribute.rawValue) \(key)")
            }
        }
        #expect(abs(statistics.meanOverlap - (expected["mean_oa"] as? Double ?? .nan)) <= 0.000051)

        let frames = try #require(expected["framewise"] as? [String: [Double]])
        let comparisons = try [#require(statistics.pitchFrames), #require(statistics.durationFrames)]
        for (index, comparison) in comparisons.enumerated() {
            for (value, key) in [
                (comparison.reference, "reference"), (comparison.generated, "generated"),
                (comparison.consistency, "consistency"), (comparison.variance, "variance"),
            ] {
                #expect(abs(value - (frames[key]?[index] ?? .nan)) <= 0.000051, "frames \(index) \(key)")
            }
        }
    }

    @Test("A set against itself overlaps fully, and quarters are compared with quarters")
    func laws() throws {
        let references = try SetStatistics.references((0..<30).map(piece), bars: 12)
        let same = try SetStatistics(generated: references, references: references)
        #expect(same.meanOverlap > 0.9)
        #expect(same.pitchFrames?.consistency == 1 && same.pitchFrames?.variance == 1)
        let quarters = try SetStatistics.byQuarter(generated: references, references: references, bars: 12)
        #expect(quarters.count == 4)
        #expect(quarters.allSatisfy { $0.pieces + $0.tooShort == 30 && $0.pieces > 0 })
        let other = try SetStatistics(generated: (0..<30).map { try piece($0 * 40 + 2) }, references: references)
        #expect(other.meanOverlap < same.meanOverlap)
    }

    @Test("The result survives its JSON")
    func coding() throws {
        let pieces = try (0..<5).map(piece)
        let statistics = try SetStatistics(generated: pieces, references: pieces)
        let copy = try JSONDecoder().decode(SetStatistics.self, from: JSONEncoder().encode(statistics))
        #expect(copy == statistics)
    }

    @Test("Too few pieces, and pieces without end, are refused")
    func refusals() throws {
        let long = try piece(0)
        let short = try StatisticsPiece([Note(tick: 0, duration: 1, pitch: 60, velocity: 1)], division: 480)
        #expect(throws: SetStatisticsError.tooFewPieces(generated: 0, references: 2)) {
            try SetStatistics(generated: [short], references: [long, long])
        }
        #expect(throws: SetStatisticsError.tooFewPieces(generated: 1, references: 1)) {
            try SetStatistics(generated: [long, short], references: [long, short])
        }
        let firstBar = (0..<8).map { Note(tick: 240 * $0, duration: 240, pitch: 60 + $0, velocity: 64) }
        let early = [try StatisticsPiece(firstBar, division: 480)]
        #expect(throws: SetStatisticsError.tooFewPieces(generated: 0, references: 2, quarter: 2)) {
            try SetStatistics.byQuarter(generated: early, references: [long, long], bars: 12)
        }
        #expect(throws: TokenizerError.self) {
            try StatisticsPiece([Note(tick: 0, duration: 1 << 31, pitch: 60, velocity: 1)], division: 1)
        }
    }
}
