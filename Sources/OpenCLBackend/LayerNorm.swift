import ComputeCore
import OpenCLRuntime

extension LayerNorm: OpenCLOperation {
    var roundableOperands: Set<String> { ["output"] }

    func commands(_ binder: Binder) throws(OpenCLError) -> [Command] {
        let width = input.shape[-1]
        let rows = input.shape.elementCount / width
        let groups = RowGroups(rows, vectorRows: 4, for: binder)
        return [
            try binder.launch(
                groups.variant(.layerNorm, ["RESULT_BFLOAT16": binder.rounded.elementBytes(of: output)]),
                global: groups.global, local: groups.local,
                [
                    .int(rows), .int(width), .float32(epsilon), binder.argument(input), binder.argument(weight),
                    binder.argument(bias), binder.argument(output),
                ])
        ]
    }
}
