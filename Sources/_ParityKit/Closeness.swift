import ComputeCore
import Foundation

/// What brings the draws of a case so near to a boundary that devices may differ, and others just not so near.
enum Closeness: String {
    /// Nothing but chance.
    case chance
    /// At temperature 0, equal and nearly equal ids and ways.
    case ties
    /// Ids that weigh two thirds, with ``topP``.
    case bounds = "at p"
    /// Boundaries beside the numbers to draw by, for ladders of one rung and a single position.
    case boundaries = "at boundaries"

    /// Two thirds and a third of ``TokenDraw/nearTie``.
    static let topP = 0.66667

    /// What a case's sizes end with.
    var suffix: String { self == .chance ? "" : " \(rawValue)" }

    /// A row for ``topP`` where half of the ids that may be drawn are even.
    ///
    /// Two thirds of those come close to it if all are equal; else all even ones, each of which weighs as much as two.
    static func row(atTopPOf ids: Int, areEqual: Bool) -> [Float] {
        (0..<ids).map { areEqual || $0 % 2 == 1 ? 0 : Float(log(2.0)) }
    }

    /// A row in which all ids but two are out of the question, and the boundary between those lies beside `unit`.
    ///
    /// Ids 0 and 1 are of different classes of a ladder of one rung, 0 and 2 of the same.
    static func row(of ids: Int, boundaryBeside unit: Float, isInClass: Bool, isNear: Bool) -> [Float] {
        let distance = Double(TokenDraw.nearTie) * (isNear ? 0.4 : 2)
        let boundary = Double(unit) < 0.5 ? Double(unit) + distance : Double(unit) - distance
        var row = [Float](repeating: -40, count: ids)
        (row[0], row[isInClass ? 2 : 1]) = (Float(log(boundary / (1 - boundary))), 0)
        return row
    }
}
