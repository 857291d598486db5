import ComputeCore
public import Foundation
import Music
public import SMDIM

/// The state of a training run; on disk a folder that is whole or absent.
///
/// `checkpoint-00000500/` holds `state.safetensors` (weights, moments and average as F32) and `training.json` (options,
/// sizes and the number of steps done). No file holds a time, so equal runs give equal bytes.
public struct TrainingCheckpoint: Sendable {
    /// What `training.json` says.
    struct Header: Codable, Equatable {
        var step: Int
        var options: TrainingOptions
        var configuration: String
        /// ``TrainingCorpus/summary``.
        var songs: String?
    }

    /// What `training.json` says.
    let header: Header
    /// The tensors by the weight that they belong to.
    let state: [ParameterKey: [Float]]
    /// What errors call the checkpoint.
    let place: String

    /// What a checkpoint holds of every weight.
    static let slots: [ParameterKey.Slot] = [.value, .firstMoment, .secondMoment, .average]
    private static let kept = 2
    /// How `training.json` spells a maximum norm of infinity, for which JSON has no number.
    private static let (infinity, minusInfinity, notANumber) = ("inf", "-inf", "nan")

    /// The options of the run, which decide how it goes on.
    public var options: TrainingOptions { header.options }

    /// Writes a checkpoint into `folder` and removes all but the last two, and what runs that were killed left unfinished.
    ///
    /// - Throws: ``ModelFileError/unwritable(file:reason:)``, or an error of the device.
    static func write(_ header: Header, parameters: any ParameterStore, to folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: infinity, negativeInfinity: minusInfinity, nan: notANumber)
        let training = try encoder.encode(header)
        var tensors: [String: HostTensor] = [:]
        for key in parameters.keys where slots.contains(key.slot) {
            tensors["\(key.slot.rawValue).\(key.name)"] = try parameters.read(key)
        }
        let name = String(format: "checkpoint-%08d", header.step)
        let (temporary, final) = (folder.appending(path: ".\(name)"), folder.appending(path: name))
        let files = FileManager.default
        do {
            try files.createDirectory(at: folder, withIntermediateDirectories: true)
            for unfinished in try numbered(".checkpoint-", in: folder) { try files.removeItem(at: unfinished) }
            try files.createDirectory(at: temporary, withIntermediateDirectories: false)
            try Safetensors.write(tensors, to: temporary.appending(path: "state.safetensors"))
            try training.write(to: temporary.appending(path: "training.json"))
            if files.fileExists(atPath: final.path) { try files.removeItem(at: final) }
            try files.moveItem(at: temporary, to: final)
            for old in try all(in: folder).dropLast(kept) { try files.removeItem(at: old) }
        } catch {
            try? files.removeItem(at: temporary)
            throw error as? ModelFileError
                ?? ModelFileError.unwritable(file: final.path, reason: error.localizedDescription)
        }
    }

    /// The checkpoints in `folder`, oldest first; none where there is no such folder.
    private static func all(in folder: URL) throws -> [URL] { try numbered("checkpoint-", in: folder) }

    /// What is in `folder` under `prefix` and the eight or more digits of a step, in the order of the steps. Whoever keeps a
    /// copy gives it another name, which is passed over.
    private static func numbered(_ prefix: String, in folder: URL) throws -> [URL] {
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        let steps = try WholeFile.names(inFolder: folder.path).compactMap { name -> (step: Int, name: String)? in
            let digits = name.dropFirst(prefix.count)
            guard name.hasPrefix(prefix), digits.wholeMatch(of: /[0-9]{8,}/) != nil else { return nil }
            return Int(digits).map { ($0, name) }
        }
        return steps.sorted { $0 < $1 }.map { folder.appending(path: $0.name) }
    }

    /// Checks that `folder` holds no checkpoint: a new run beside an older one would lose its own, as the older ones bear
    /// greater numbers.
    ///
    /// - Throws: ``TrainingError/checkpoint(_:expected:found:)`` naming the newest, ``FileError`` for a folder that cannot be
    ///   read.
    public static func requireNone(in folder: URL) throws {
        guard let newest = try all(in: folder).last else { return }
        throw TrainingError.checkpoint(
            folder.path, expected: "no checkpoints",
            found: "\(newest.lastPathComponent); use --resume or another folder")
    }

    /// Reads the newest checkpoint of `folder`.
    ///
    /// - Throws: ``TrainingError/checkpoint(_:expected:found:)``, ``ModelFileError``, or ``FileError`` for a folder that cannot be
    ///   read.
    public init(newestIn folder: URL) throws {
        guard let url = try Self.all(in: folder).last else {
            throw TrainingError.checkpoint(folder.path, expected: "a checkpoint to resume from", found: "none")
        }
        let training: Data
        do { training = try Data(contentsOf: url.appending(path: "training.json")) } catch {
            throw TrainingError.checkpoint(url.path, expected: "a training.json", found: error.localizedDescription)
        }
        try self.init(
            training: training, state: Safetensors(contentsOf: url.appending(path: "state.safetensors")),
            named: url.path)
    }

    /// Reads what the two files of a checkpoint hold; `place` is what errors call it.
    ///
    /// - Throws: ``TrainingError/checkpoint(_:expected:found:)`` or ``ModelFileError``.
    public init(training: Data, state file: Safetensors, named place: String) throws {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: Self.infinity, negativeInfinity: Self.minusInfinity, nan: Self.notANumber)
        do { header = try StrictJSON.decode(Header.self, from: training, with: decoder) } catch {
            throw TrainingError.checkpoint(
                "\(place)/training.json", expected: "options and a step", found: "\(error)")
        }
        guard header.step >= 0, header.step <= header.options.steps else {
            throw TrainingError.checkpoint(
                "\(place)/training.json", expected: "a step from 0 to \(header.options.steps)",
                found: "\(header.step)")
        }
        var state: [ParameterKey: [Float]] = [:]
        for name in file.entries.keys {
            guard let slot = Self.slots.first(where: { name.hasPrefix("\($0.rawValue).") }) else {
                throw TrainingError.checkpoint(place, expected: "weights, moments and an average", found: name)
            }
            state[ParameterKey(String(name.dropFirst(slot.rawValue.count + 1)), slot)] = try file.floats(name)
        }
        self.state = state
        self.place = place
    }
}
