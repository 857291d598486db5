import Foundation
import OpenCLRuntime
import Testing

extension OnDevice {
    /// What `vector_math.clh` and `activation.clh` promise of their functions, on a CPU's vectors and on a GPU's scalars.
    @Suite struct VectorMathTests {
        /// A function of the kernels, the same in double precision and the bound of its error, in units of the last place
        /// of the exact value or, with `magnitude`, of that.
        struct Function: CustomTestStringConvertible {
            let name: String
            let arguments: ClosedRange<Double>
            let bound: Double
            var magnitude: Double?
            /// OpenCL lets a division be off by 2.5 units; PoCL rounds it correctly.
            var divides = false
            let exact: @Sendable (Double) -> Double
            var testDescription: String { name }
        }

        static let functions = [
            Function(name: "exp2_nonpositive", arguments: -125.9...0, bound: 2) { exp2($0) },
            Function(name: "exp_nonpositive", arguments: -87.2...0, bound: 2.5) { exp($0) },
            Function(name: "sigmoid", arguments: -87...87, bound: 3, divides: true) { 1 / (1 + exp(-$0)) },
            Function(name: "softplus", arguments: -87...40, bound: 3.5) { max($0, 0) + log1p(exp(-abs($0))) },
            Function(name: "gelu", arguments: 0...40, bound: 1, magnitude: 1, exact: gelu),
            // 6e-8 in units of 2^-23.
            Function(name: "gelu", arguments: -40...0, bound: 0.5, magnitude: 1, exact: gelu),
        ]

        @Sendable private static func gelu(_ x: Double) -> Double { x * erfc(-x / 2.0.squareRoot()) / 2 }

        @Test(arguments: functions, [16, 1]) func errorsStayInTheirBounds(_ function: Function, lanes: Int) throws {
            let count = 1 << 16
            // Half of the arguments evenly, half by their exponents down to 1e-9.
            let (first, last) = (function.arguments.lowerBound, function.arguments.upperBound)
            let evenly = (0..<count / 2).map { first + (last - first) * Double($0) / Double(count / 2) }
            let small = (0..<count / 2).map { index in
                let size = pow(10, -9 * Double(index) / Double(count / 2))
                return first == 0 || (last > 0 && index % 2 == 0) ? size : -size
            }
            let arguments = (evenly + small).map(Float.init)
            let values = try evaluate(function.name, at: arguments, lanes: lanes)
            let bound = try function.bound + (function.divides && !Device.select().isPoCL ? 2.5 : 0)
            var worst = (error: 0.0, argument: Float(0))
            for (x, y) in zip(arguments, values) {
                let exact = function.exact(Double(x))
                let unit = Double(Float(function.magnitude.map { max($0, abs(exact)) } ?? exact).ulp)
                let error = abs(Double(y) - exact) / unit
                if error > worst.error || error.isNaN { worst = (error, x) }
            }
            #expect(worst.error <= bound, "at \(worst.argument)")
        }

        @Test(arguments: [16, 1]) func exponentialsAtTheirEnds(lanes: Int) throws {
            let ends: [Float] = [
                0, -0.0, -.infinity, -.greatestFiniteMagnitude, -200, -.leastNonzeroMagnitude, -1e-30, .nan,
                -126, -126.00001, -126.5, -127, -87.34, -88, -104, -150,
            ]
            let exponentials: [(String, least: Float, exact: (Double) -> Double)] = [
                ("exp2_nonpositive", -126, { exp2($0) }), ("exp_nonpositive", -87.33, { exp($0) }),
            ]
            for (name, least, exact) in exponentials {
                let values = try evaluate(name, at: ends, lanes: lanes)
                #expect(values.prefix(7) == [1, 1, 0, 0, 0, 1, 1])
                #expect(values[7].isNaN)
                for (x, y) in zip(ends, values).dropFirst(8) {
                    let expected = x < least ? 0 : exact(Double(x))
                    #expect(abs(Double(y) - expected) <= 1e-6 * expected, "\(name)(\(x)) = \(y)")
                }
            }
        }

        /// The function `name` of every argument, whose number is a multiple of 16.
        private func evaluate(_ name: String, at arguments: [Float], lanes: Int) throws -> [Float] {
            let headers = try OnDevice.headers("prelude.clh", "lanes.clh", "vector_math.clh", "activation.clh")
            let kernel = Specialisation.Source(
                fileName: "evaluate.cl",
                text: """
                    kernel void evaluate(global const float *x, global float *y) {
                        const int at = get_global_id(0) * LANES;
                        store_lanes(FUNCTION(load_lanes(x + at, LANES)), y + at, LANES);
                    }
                    """)
            let context = try OnDevice.context()
            let evaluate = try context.program(
                Specialisation(sources: headers + [kernel], defines: [.init("FUNCTION", name), .init("LANES", lanes)])
            ).kernel("evaluate")
            let (x, y) = (
                try context.makeBuffer(bytes: 4 * arguments.count), try context.makeBuffer(bytes: 4 * arguments.count)
            )
            try x.write(arguments)
            try evaluate.bind([.buffer(x), .buffer(y)])
            try context.enqueue(evaluate, global: SIMD3(arguments.count / lanes, 1, 1), local: SIMD3(1, 1, 1))
            return try y.read(Float.self, count: arguments.count)
        }
    }
}
