import ComputeCore
import Testing

@Suite struct ShapeTests {
    @Test(
        arguments: [
            (Shape([]), 1), ([7], 7), ([2, 3, 4], 24), ([5, 0, 9], 0), ([0, .max, .max], 0),
            ([1 << 31, 1 << 31], 1 << 62),
        ] as [(Shape, Int)])
    func countsElements(_ shape: Shape, _ count: Int) {
        #expect(shape.checkedElementCount == count)
    }

    @Test(arguments: [
        Shape([.max, 2]), [1 << 32, 1 << 31], [1 << 21, 1 << 21, 1 << 22], [-1], [3, -2], [-2, -3], [0, -1],
    ])
    func refusesWhatIsNoCount(_ shape: Shape) {
        #expect(shape.checkedElementCount == nil)
    }

    @Test func negativeAxesCountFromTheEnd() {
        let shape: Shape = [2, 3, 5]
        #expect((shape[0], shape[2], shape[-1], shape[-3]) == (2, 5, 5, 2))
        #expect("\(shape)" == "[2, 3, 5]")
    }

    @Test func hostTensorsHoldWhatTheirShapeSays() throws {
        #expect(try HostTensor([2, 2], [1, 2, 3, 4] as [Float]).floats() == [1, 2, 3, 4])
        let count = #expect(throws: ValidationError.self) { try HostTensor([2, 2], [1, 2, 3] as [Int32]) }
        #expect(count?.expected == "as many as [2, 2] holds" && count?.found == "3")
        let overflow = #expect(throws: ValidationError.self) { try HostTensor([.max, 2], [] as [Float]) }
        #expect(overflow?.argument == "values")
        let type = #expect(throws: ValidationError.self) { try HostTensor([1], [1] as [Int32]).floats() }
        #expect(type?.expected == "float32" && type?.found == "int32")
    }
}

@Suite struct TensorTests {
    @Test func reshapingKeepsTheStorage() throws {
        var plan = Plan()
        let tensor = plan.intermediate([2, 3, 4])
        let reshaped = try tensor.reshaped(to: [6, 4])
        #expect(reshaped.storage == tensor.storage && reshaped.shape == [6, 4])
        let error = #expect(throws: ValidationError.self) { try tensor.reshaped(to: [5, 5]) }
        #expect(error?.argument == "shape" && error?.found == "[5, 5]")
        #expect(throws: ValidationError.self) { try tensor.reshaped(to: [-4, -6]) }
    }

    @Test func viewsCountRowsOfOneSample() {
        var plan = Plan()
        let tensor = plan.intermediate([2, 3, 8])
        let view = tensor.columns(2..<5)
        #expect((view.rows, view.columns, view.rowStride, view.offset) == (6, 3, 8, 2))
        #expect((view.batch, view.rowsPerSample) == (2, 3))
        let matrix = plan.intermediate([7, 8]).matrix
        #expect((matrix.rows, matrix.columns, matrix.batch, matrix.rowsPerSample) == (7, 8, 1, 7))
    }
}
