import ComputeCore
import Foundation

/// The file `tokens.json`: the ids of a piece and their names, `{"ids": [4, …], "tokens": ["Bar_None", …]}`.
public struct TokenFile: Sendable, Hashable, Codable {
    /// The ids.
    public var ids: [Int]
    /// MidiTok's strings for the ids; a file may do without.
    public var tokens: [String]?

    /// The ids with their names in a vocabulary.
    public init(ids: [Int], vocabulary: Vocabulary) {
        self.ids = ids
        tokens = vocabulary.strings(of: ids)
    }

    /// Reads the file at `path`.
    ///
    /// - Throws: ``TokenizerError/malformed(path:reason:)``, ``FileError`` where the path cannot be read.
    public init(path: String) throws {
        try self.init(json: WholeFile.read(path), named: path)
    }

    /// Reads what the file holds; `path` is what errors call it.
    ///
    /// - Throws: ``TokenizerError/malformed(path:reason:)``.
    public init(json bytes: [UInt8], named path: String) throws {
        do { self = try StrictJSON.decode(TokenFile.self, from: Data(bytes)) } catch {
            throw TokenizerError.malformed(
                path: path, reason: #"expected {"ids": [whole numbers], "tokens": [names]}, found \#(error)"#)
        }
    }

    /// Writes the file so that what stands at `path` is whole or absent; equal files give equal bytes.
    ///
    /// - Throws: ``FileError`` where the path cannot be written.
    public func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try WholeFile.write([UInt8](encoder.encode(self)) + [UInt8(ascii: "\n")], to: path)
    }

    /// Checks that the names, where there are any, are those of a vocabulary.
    ///
    /// - Throws: ``TokenizerError/malformed(path:reason:)`` naming the first that is not.
    public func check(against vocabulary: Vocabulary, path: String) throws {
        guard let tokens else { return }
        let expected = vocabulary.strings(of: ids)
        guard tokens.count == ids.count else {
            throw TokenizerError.malformed(path: path, reason: "\(ids.count) ids but \(tokens.count) tokens")
        }
        if let index = expected.indices.first(where: { expected[$0] != tokens[$0] }) {
            throw TokenizerError.malformed(
                path: path,
                reason: "token \(index) is \(tokens[index]), the tokenizer calls id \(ids[index]) \(expected[index]); "
                    + "give the tokenizer that made the file")
        }
    }
}
