import ComputeCore
import Foundation
import SMDIM
import Testing

@Suite struct RollConfigurationTests {
    private static func json(_ key: String, _ value: String) -> Data {
        let lines = RollConfiguration(.tiny).json.split(separator: "\n").map { line in
            line.contains("\"\(key)\"") ? "  \"\(key)\": \(value)\(line.hasSuffix(",") ? "," : "")" : String(line)
        }
        return Data(lines.joined(separator: "\n").utf8)
    }

    @Test func jsonComesBack() throws {
        var configuration = RollConfiguration(.small)
        configuration.priorDensities = [0.0421, 0.00731]
        configuration.fold = 2
        #expect(try RollConfiguration(json: Data(configuration.json.utf8)) == configuration)
    }

    @Test(arguments: [
        ("prior_onset", "1.0"), ("prior_sounding", "-0.5"), ("fold", "0"), ("fold", "3"), ("n_pitches", "\"88\""),
        ("window_steps", "0"), ("n_times", "1.5"), ("model_type", "\"smdim\""), ("dt_rank", "5"),
    ])
    func wrongValuesAreNamed(_ key: String, _ value: String) {
        let error = #expect(throws: ModelFileError.self) { try RollConfiguration(json: Self.json(key, value)) }
        #expect("\(error.map { "\($0)" } ?? "")".contains(key == "fold" && value == "3" ? "window_steps" : key))
    }

    @Test func everyWeightIsDeclaredOnce() throws {
        let names = try RollConfiguration(.tiny).parameters.map(\.key.name)
        #expect(Set(names).count == names.count)
        #expect(["time.weight", "known.weight", "cells.weight", "head.bias"].allSatisfy(names.contains))
    }
}
