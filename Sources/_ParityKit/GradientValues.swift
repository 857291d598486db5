import ComputeCore
import ReferenceBackend

extension ParityInstance {
    /// Declares a gradient that an operation adds to, with what is there before, and compares it.
    mutating func sum(
        _ name: String, _ shape: Shape, _ values: [Float], as layout: ParameterLayout = .plain
    ) throws -> Tensor {
        let tensor = try parameter(name, shape, values, as: layout)
        compare(tensor, as: name)
        return tensor
    }

    /// Declares a gradient that an operation overwrites, or adds to if there are values, and compares it.
    mutating func gradient(_ name: String, _ shape: Shape, adding values: [Float]? = nil) throws -> Tensor {
        guard let values else { return output(name, shape) }
        let tensor = try input(name, shape, values)
        compare(tensor, as: name)
        return tensor
    }

    /// Takes as magnitudes what the reference makes of another instance, usually the same one over absolute values: for an
    /// operation that is linear in what changed sign, the sums of the absolute terms.
    mutating func takeMagnitudes(from other: ParityInstance, scaledBy factor: Double = 1) throws {
        for (name, tensor) in try other.run(on: ReferenceBackend()).outputs {
            magnitudes[name] = try tensor.floats().map { factor * abs(Double($0)) }
        }
    }
}

extension [Float] {
    /// |x| of every element.
    var magnitudes: [Float] { map { abs($0) } }
}

extension ArraySlice<Float> {
    /// √(Σ x²).
    var norm: Double { reduce(0) { $0 + Double($1) * Double($1) }.squareRoot() }
}
