import ComputeCore
import Foundation
import Music
import SMDIM

/// The state of a training run on disk: a folder that is whole or absent.
///
/// `checkpoint-00000500/` holds `state.safetensors` (weights, moments and average as F32) and `training.json` (options,
/// sizes and the number of steps done). No file holds a time, so equal runs give equal bytes.
struct TrainingCheckpoint {
    /// What `training.json` says.
    struct Header: Codable, Equatable {
        var step: Int
        var options: TrainingOptions
        var configuration: String
    }

    private static let slots: [ParameterKey.Slot] = [.value, .firstMoment, .secondMoment, .average]
    private static let kept = 2

    /// Writes a checkpoint into `folder` and removes all but the last two.
    static func write(_ header: Header, parameters: any ParameterStore, to folder: URL) throws {
        var tensors: [String: HostTensor] = [:]
        for key in parameters.keys where slots.contains(key.slot) {
            tensors["\(key.slot.rawValue).\(key.name)"] = try parameters.read(key)
        }
        let name = String(format: "checkpoint-%08d", header.step)
        let temporary = folder.appending(path: ".\(name)")
        let files = FileManager.default
        do {
            if files.fileExists(atPath: temporary.path) { try files.removeItem(at: temporary) }
            try files.createDirectory(at: temporary, withIntermediateDirectories: true)
            try Safetensors.write(tensors, to: temporary.appending(path: "state.safetensors"))
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try encoder.encode(header).write(to: temporary.appending(path: "training.json"))
            let final = folder.appending(path: name)
            if files.fileExists(atPath: final.path) { try files.removeItem(at: final) }
            try files.moveItem(at: temporary, to: final)
        } catch {
            try? files.removeItem(at: temporary)
            throw error
        }
        for old in try all(in: folder).dropLast(kept) { try files.removeItem(at: old) }
    }

    /// The checkpoints in `folder`, oldest first.
    static func all(in folder: URL) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasPrefix("checkpoint-") }.sorted().map { folder.appending(path: $0) }
    }

    /// Reads the newest checkpoint of `folder`.
    static func latest(in folder: URL) throws -> (header: Header, state: [ParameterKey: [Float]]) {
        guard let url = try all(in: folder).last else {
            throw TrainingError.checkpoint(folder.path, expected: "a checkpoint to resume from", found: "none")
        }
        let header: Header
        do {
            header = try JSONDecoder().decode(Header.self, from: Data(contentsOf: url.appending(path: "training.json")))
        } catch {
            throw TrainingError.checkpoint(
                url.appending(path: "training.json").path, expected: "options and a step", found: "\(error)")
        }
        let file = try Safetensors(contentsOf: url.appending(path: "state.safetensors"))
        var state: [ParameterKey: [Float]] = [:]
        for name in file.entries.keys {
            guard let slot = slots.first(where: { name.hasPrefix("\($0.rawValue).") }) else {
                throw TrainingError.checkpoint(url.path, expected: "weights, moments and an average", found: name)
            }
            state[ParameterKey(String(name.dropFirst(slot.rawValue.count + 1)), slot)] = try file.tensor(name).floats()
        }
        return (header, state)
    }
}
