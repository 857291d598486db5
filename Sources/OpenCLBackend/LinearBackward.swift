import ComputeCore
import OpenCLRuntime

extension LinearBackward: OpenCLOperation {
    private var rows: Int { forward.input.rows }
    private var outputs: Int { forward.weight.shape[0] }
    private var inputs: Int { forward.weight.shape[1] }
    private var biasSum: RowSum { RowSum(rows: rows, columns: outputs) }
    var precision: Precision { forward.precision }

    private var biasScratch: [Int] { biasGradient == nil ? [] : biasSum.scratchBytes }

    func scratchBytes(on backend: OpenCLBackend, given _: RoundedTensors) throws(OpenCLError) -> [Int] {
        try biasScratch
            + MatrixProductBackward.scratchBytes(
                rows: rows, n: outputs, k: inputs, inputStride: max(forward.input.rowStride, inputGradient.rowStride),
                outputStride: outputGradient.rowStride, precision: precision, on: backend)
    }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let slope = try binder.matrix(outputGradient)
        var commands = try MatrixProductBackward(
            rows: rows, n: outputs, k: inputs, input: binder.matrix(forward.input),
            weight: binder.buffer(forward.weight), outputGradient: slope, inputGradient: binder.matrix(inputGradient),
            accumulates: accumulates, weightGradient: binder.buffer(weightGradient), precision: precision
        ).commands(binder, scratch: binder.scratch.dropFirst(biasScratch.count))
        if let biasGradient {
            commands += try biasSum.commands(
                slope, into: binder.buffer(biasGradient), scratch: binder.scratch.prefix(biasScratch.count), binder)
        }
        return commands
    }
}
