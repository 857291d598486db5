import ArgumentParser
import Music

struct Tokenize: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Turn a MIDI file into REMI tokens, as MidiTok does.")

    @Argument(help: "MIDI file.")
    var input: String

    @Option(help: "MidiTok's tokenizer.json; the built-in tokenizer if not given.")
    var tokenizer: String?

    @Flag(help: "Estimate where the grid lies, put notes on it and sort them by position and pitch.")
    var align = false

    @Option(name: .shortAndLong, help: "Output file; stdout if not given.")
    var output: String?

    func run() throws {
        let tokenizer = try makeTokenizer(tokenizer)
        let file = try readMIDI(input)
        let notes = file.notes().pitched
        let encoding = try naming(input) {
            try align
                ? tokenizer.encodeAligned(notes, division: file.division)
                : tokenizer.encode(notes, division: file.division)
        }
        if encoding.skippedNotes > 0 {
            Terminal.note("\(input): \(encoding.skippedNotes) notes outside the tokenizer's pitches were left out")
        }
        let tokens = TokenFile(ids: encoding.ids, vocabulary: tokenizer.vocabulary)
        if let output {
            try tokens.write(to: output)
        } else {
            try Terminal.result(try Terminal.json(tokens))
        }
    }
}

struct Detokenize: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Turn REMI tokens, in any order, into a MIDI file.")

    @Argument(help: "tokens.json.")
    var input: String

    @Option(help: "MidiTok's tokenizer.json; the built-in tokenizer if not given.")
    var tokenizer: String?

    @Option(help: "Quarter notes per minute.")
    var tempo = 120.0

    @Option(name: .shortAndLong, help: "Output file.")
    var output: String

    func validate() throws {
        try requireOption(
            Tempo.range.contains(tempo), "tempo", Tempo.span, tempo)
    }

    func run() throws {
        let tokenizer = try makeTokenizer(tokenizer)
        let tokens = try TokenFile(path: input)
        try tokens.check(against: tokenizer.vocabulary, path: input)
        let (file, report) = tokenizer.midiFile(from: tokens.ids, tempo: try Tempo(quartersPerMinute: tempo))
        try file.write(to: output)
        let skipped = report.skipped > 0 ? ", \(report.skipped) tokens skipped" : ""
        try Terminal.result("\(output): \(report.notes) notes, \(report.bars) bars\(skipped)")
    }
}

private func makeTokenizer(_ path: String?) throws -> REMITokenizer {
    guard let path else { return REMITokenizer() }
    return try REMITokenizer(path: path)
}
