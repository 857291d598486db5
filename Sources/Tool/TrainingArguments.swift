public import ArgumentParser
public import ComputeCore
public import Pipeline

extension TrainingOptions.Weighting: ExpressibleByArgument {}
extension BinaryCrossEntropy.Loss: ExpressibleByArgument {}

/// The options of a run, as the command line gives them.
struct TrainingArguments: ParsableArguments {
    @Option(help: "AdamW steps.") var steps = 2000
    @Option(help: "Windows of a step.") var batch = 8
    @Option(help: "Windows that are computed at once; gradients of several are added up.") var microBatch: Int?
    @Option(help: "Tokens of a window, or steps of a roll; 1024 or 512 if not given.") var length: Int?
    @Option(help: "Highest learning rate.") var rate = 1.5e-3
    @Option(help: "Steps in which the rate rises, at most half of all.") var warmUp = 100
    @Option(help: "Weight decay.") var decay: Float = 0.05
    @Option(help: "Norm above which gradients are scaled down; inf for never.") var maximumNorm: Float = 1
    @Option(help: "What the moving average of the weights keeps in a step.") var averageDecay = 0.999
    @Option(help: "Weighting of positions: mean, elbo or reweighted.") var weighting = TrainingOptions.Weighting.mean
    @Option(help: "Share of the windows that are masked as generate's --sweep leaves them; tokens only.")
    var swept = 0.0
    @Option(help: "What a cell of a roll costs: cross-entropy or absolute.")
    var cellLoss = BinaryCrossEntropy.Loss.crossEntropy
    @Option(help: "Type of the factors of linear layers: f32, or bf16, faster on a processor with its products.")
    var precision = Precision.float32
    @Option(help: "Seed.") var seed: UInt64 = 0
    @Option(help: "Steps between checkpoints.") var checkpointEvery = 500
    @Option(help: "Windows of valid songs that the bound is measured on.") var validWindows = 8

    /// The library's options; windows have `length` positions where none is given.
    func trainingOptions(length defaultLength: Int) -> TrainingOptions {
        var options = TrainingOptions()
        options.steps = steps
        options.batch = batch
        options.microBatch = microBatch ?? batch
        options.length = length ?? defaultLength
        options.rate = rate
        options.warmUp = warmUp
        options.decay = decay
        options.maximumNorm = maximumNorm
        options.averageDecay = averageDecay
        options.weighting = weighting
        options.sweptWindows = swept
        options.cellLoss = cellLoss
        options.precision = precision
        options.seed = seed
        options.checkpointEvery = checkpointEvery
        options.validWindows = validWindows
        return options
    }
}
