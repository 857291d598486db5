public import ArgumentParser
public import ComputeCore
public import Pipeline

extension TrainingOptions.Weighting: ExpressibleByArgument {}
extension BinaryCrossEntropy.Loss: ExpressibleByArgument {}

private let defaults = TrainingOptions()

/// The options of a run, as the command line gives them.
struct TrainingArguments: ParsableArguments {
    @Option(help: "AdamW steps; \(defaults.steps) if not given.") var steps: Int?
    @Option(help: "Windows of a step; \(defaults.batch) if not given.") var batch: Int?
    @Option(help: "Windows that are computed at once; gradients of several are added up. All if not given.")
    var microBatch: Int?
    @Option(help: "Tokens of a window, or steps of a roll; 1024 or 512 if not given.") var length: Int?
    @Option(help: "Highest learning rate; \(defaults.rate) if not given.") var rate: Double?
    @Option(help: "Steps in which the rate rises, at most half of all; \(defaults.warmUp) if not given.")
    var warmUp: Int?
    @Option(help: "Weight decay; \(defaults.decay) if not given.") var decay: Float?
    @Option(help: "Norm above which gradients are scaled down, inf for never; \(defaults.maximumNorm) if not given.")
    var maximumNorm: Float?
    @Option(help: "What the moving average of the weights keeps in a step; \(defaults.averageDecay) if not given.")
    var averageDecay: Double?
    @Option(help: "Weighting of positions: mean, elbo or reweighted; \(defaults.weighting) if not given.")
    var weighting: TrainingOptions.Weighting?
    @Option(
        help: "Share of the windows that are masked as generate's --sweep leaves them; tokens only. 0 if not given.")
    var swept: Double?
    @Option(help: "What a cell of a roll costs: cross-entropy or absolute; \(defaults.cellLoss.rawValue) if not given.")
    var cellLoss: BinaryCrossEntropy.Loss?
    @Option(
        help:
            "Type of the factors of linear layers: f32, or bf16, faster on a processor with its products; f32 if not given."
    )
    var precision: Precision?
    @Option(help: "Seed; \(defaults.seed) if not given.") var seed: UInt64?
    @Option(help: "Steps between checkpoints; \(defaults.checkpointEvery) if not given.") var checkpointEvery: Int?
    @Option(help: "Windows of valid songs that the bound is measured on; \(defaults.validWindows) if not given.")
    var validWindows: Int?

    /// What an option of the command line makes of the library's.
    struct Setting {
        let name: String
        let apply: (inout TrainingOptions) -> Void
    }

    /// The options that were given.
    var given: [Setting] {
        func setting<Value>(
            _ name: String, _ path: WritableKeyPath<TrainingOptions, Value>, _ value: Value?
        ) -> Setting? { value.map { value in Setting(name: name) { $0[keyPath: path] = value } } }
        return [
            setting("steps", \.steps, steps), setting("batch", \.batch, batch),
            setting("micro-batch", \.microBatch, microBatch), setting("length", \.length, length),
            setting("rate", \.rate, rate), setting("warm-up", \.warmUp, warmUp), setting("decay", \.decay, decay),
            setting("maximum-norm", \.maximumNorm, maximumNorm),
            setting("average-decay", \.averageDecay, averageDecay), setting("weighting", \.weighting, weighting),
            setting("swept", \.sweptWindows, swept), setting("cell-loss", \.cellLoss, cellLoss),
            setting("precision", \.precision, precision), setting("seed", \.seed, seed),
            setting("checkpoint-every", \.checkpointEvery, checkpointEvery),
            setting("valid-windows", \.validWindows, validWindows),
        ].compactMap(\.self)
    }

    /// The library's options; windows have `length` positions where none is given.
    func trainingOptions(length: Int) -> TrainingOptions {
        var options = defaults
        options.length = length
        for setting in given { setting.apply(&options) }
        options.microBatch = microBatch ?? options.batch
        return options
    }
}
