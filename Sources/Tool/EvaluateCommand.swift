import ArgumentParser
import Foundation
import Music

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare generated pieces with reference pieces by their statistics.",
        discussion: """
            Overlap of the distances within the references and between the sets (Yang and Lerch), and framewise \
            overlapping area of pitch and duration. References are aligned and cut to --bars.
            """)

    @Option(help: "Folder of generated MIDI files.")
    var generated: String

    @Option(help: "Folder of reference MIDI files.")
    var reference: String

    @Option(help: "File that lists the reference files to use, one a line.")
    var referenceList: String

    @Option(help: "Bars to which references are cut.")
    var bars = 28

    @Flag(help: "Also compare the four quarters of the pieces apart.")
    var byQuarter = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        let least = byQuarter ? 4 : 1
        guard (least...REMITokenizer.largestBarCount).contains(bars) else {
            throw ValidationError("--bars: expected \(least) to \(REMITokenizer.largestBarCount), found \(bars)")
        }
    }

    func run() throws {
        let list = try WholeFile.lines(referenceList)
        let references = SetStatistics.references(try list.map { try piece("\(reference)/\($0)") }, bars: bars)
        let files = try WholeFile.namesOfMIDIFiles(inFolder: generated)
        let pieces = try files.map { try piece("\(generated)/\($0)") }
        let report = Report(
            whole: try SetStatistics(generated: pieces, references: references),
            quarters: try byQuarter
                ? SetStatistics.byQuarter(generated: pieces, references: references, bars: bars) : nil)
        try Terminal.result(json ? try Terminal.json(report) : report.text)
    }

    private func piece(_ path: String) throws -> StatisticsPiece {
        let file = try MIDIFile.read(path: path).file
        return try naming(path) { try StatisticsPiece(file.notes().notes, division: file.division) }
    }

    private struct Report: Encodable {
        let whole: SetStatistics
        let quarters: [SetStatistics]?

        var text: String {
            func number(_ value: Double) -> String { String(format: "%.3f", value) }
            let attributes = whole.attributes.map {
                [$0.attribute.rawValue, number($0.reference), number($0.generated), number($0.overlap)]
            }
            let frames = [("pitch", whole.pitchFrames), ("duration", whole.durationFrames)].compactMap { name, frames in
                frames.map {
                    [name, number($0.reference), number($0.generated), number($0.consistency), number($0.variance)]
                }
            }
            var text = "\(whole.pieces) pieces, \(whole.tooShort) too short\n\n"
            text += Terminal.table(["attribute", "reference", "generated", "OA"], attributes)
            text += "\n\nmean OA \(number(whole.meanOverlap))\n\n"
            text += Terminal.table(["framewise", "reference", "generated", "consistency", "variance"], frames)
            for (index, quarter) in (quarters ?? []).enumerated() {
                text += "\nquarter \(index + 1): mean OA \(number(quarter.meanOverlap))"
            }
            return text
        }
    }
}
