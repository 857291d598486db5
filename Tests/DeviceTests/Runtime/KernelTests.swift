import COpenCL
import OpenCLRuntime
import Testing

extension OnDevice {
    @Suite struct KernelTests {
        private static let everyType = Specialisation(
            sources: [
                .init(
                    fileName: "every_type.cl",
                    text: """
                        __kernel void sum(__global float* y, __constant float* c, int i, uint u, float f) {
                            __local float scratch[4];
                            const size_t me = get_local_id(0);
                            scratch[me] = c[0] + i + u + f;
                            barrier(CLK_LOCAL_MEM_FENCE);
                            y[get_global_id(0)] = scratch[get_local_size(0) - 1 - me];
                        }
                        __kernel void place(__global int* y) {
                            const size_t i = get_global_id(0), j = get_global_id(1), k = get_global_id(2);
                            y[i + get_global_size(0) * (j + get_global_size(1) * k)] = 100 * k + 10 * j + i;
                        }
                        __kernel void group(__global int* y) { y[get_global_id(0)] = get_local_size(0); }
                        """)
            ])

        @Test func everyArgumentTypeArrives() throws {
            let context = try OnDevice.context()
            let kernel = try context.program(Self.everyType).kernel("sum")
            let (y, c) = (try context.makeBuffer(bytes: 32), try context.makeBuffer(bytes: 4))
            try c.write([Float(0.5)])
            try kernel.bind([.buffer(y), .buffer(c), .int32(-3), .uint32(4_000_000), .float32(0.25)])
            try context.enqueue(kernel, global: SIMD3(8, 1, 1), local: SIMD3(4, 1, 1))
            let sum = Float(0.5) + Float(-3) + Float(4_000_000) + Float(0.25)
            #expect(try y.read(Float.self, count: 8).allSatisfy { abs($0 - sum) <= sum * 1e-6 })
        }

        @Test func threeDimensions() throws {
            let context = try OnDevice.context()
            let kernel = try context.program(Self.everyType).kernel("place")
            let y = try context.makeBuffer(bytes: 4 * 4 * 3 * 2)
            try kernel.bind([.buffer(y)])
            try context.enqueue(kernel, global: SIMD3(4, 3, 2), local: SIMD3(2, 1, 2))
            let expected: [Int32] = [
                0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23,
                100, 101, 102, 103, 110, 111, 112, 113, 120, 121, 122, 123,
            ]
            #expect(try y.read(Int32.self, count: 24) == expected)
        }

        @Test(.enabled(if: (try? Device.select())?.isPoCL == true, "needs PoCL"))
        func openGroupsTakeFewSizes() throws {
            let context = try OnDevice.context()
            let kernel = try context.program(Self.everyType).kernel("group")
            for (items, size) in [(1, 1), (21, 1), (24, 8), (192, 64)] {
                let y = try context.makeBuffer(bytes: 4 * items)
                try kernel.bind([.buffer(y)])
                try context.enqueue(kernel, global: SIMD3(items, 1, 1))
                #expect(try y.read(Int32.self, count: items).allSatisfy { $0 == size })
            }
        }

        @Test func countAndTypesAreChecked() throws {
            let context = try OnDevice.context()
            let kernel = try context.program(OnDevice.scale).kernel("scale")
            let x = try context.makeBuffer(bytes: 64)
            let count = #expect(throws: OpenCLError.self) { try kernel.bind([.buffer(x)]) }
            #expect(count == .invalidArgument(name: "scale: arguments", expected: "4", got: "1"))
            let type = #expect(throws: OpenCLError.self) {
                try kernel.bind([.buffer(x), .buffer(x), .int32(2), .int32(1)])
            }
            #expect(type == .invalidArgument(name: "scale: argument 2 (factor)", expected: "float", got: "int"))
            let value = #expect(throws: OpenCLError.self) {
                try kernel.bind([.buffer(x), .float32(2), .float32(2), .int32(1)])
            }
            #expect(value == .invalidArgument(name: "scale: argument 1 (y)", expected: "global buffer", got: "float"))
            let unbound = #expect(throws: OpenCLError.self) { try context.enqueue(kernel, global: SIMD3(1, 1, 1)) }
            #expect(unbound == .invalidArgument(name: "scale", expected: "bound arguments", got: "none"))
        }

        @Test func namesAndContextsAreChecked() throws {
            let (context, other) = (try OnDevice.context(), try OnDevice.context())
            let program = try context.program(OnDevice.scale)
            let missing = #expect(throws: OpenCLError.self) { try program.kernel("scael") }
            #expect(
                missing == .invalidArgument(name: "kernel of scale.cl", expected: "one of scale", got: "scael"))
            let kernel = try program.kernel("scale")
            let (mine, foreign) = (try context.makeBuffer(bytes: 64), try other.makeBuffer(bytes: 64))
            let buffer = #expect(throws: OpenCLError.self) {
                try kernel.bind([.buffer(mine), .buffer(foreign), .float32(1), .int32(1)])
            }
            #expect(
                buffer
                    == .invalidArgument(
                        name: "scale: argument 1", expected: "a buffer of the kernel's context", got: "another's"))
            try kernel.bind([.buffer(mine), .buffer(mine), .float32(1), .int32(1)])
            let launch = #expect(throws: OpenCLError.self) { try other.enqueue(kernel, global: SIMD3(1, 1, 1)) }
            #expect(
                launch == .invalidArgument(name: "scale", expected: "a kernel of this context", got: "another's"))
        }

        @Test func tasksShareOneContext() async throws {
            let context = try OnDevice.context()
            let program = try context.program(OnDevice.scale)
            try await withThrowingTaskGroup(of: [Float].self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var last: [Float] = []
                        for _ in 0..<50 { last = try OnDevice.runScale(program, in: context) }
                        return last
                    }
                }
                for try await result in group { #expect(result == OnDevice.scaled) }
            }
            #expect(context.liveBytes == 0)
        }

        @Test func workSizesAreChecked() throws {
            let context = try OnDevice.context()
            let kernel = try context.program(OnDevice.scale).kernel("scale")
            let x = try context.makeBuffer(bytes: 64)
            try kernel.bind([.buffer(x), .buffer(x), .float32(1), .int32(0)])
            let most = kernel.maxWorkGroupSize
            #expect(most > 0)
            let sizes: [(SIMD3<Int>, SIMD3<Int>?)] = [
                (SIMD3(0, 1, 1), nil), (SIMD3(4, -1, 1), nil), (SIMD3(6, 1, 1), SIMD3(4, 1, 1)),
                (SIMD3(4, 1, 1), SIMD3(0, 1, 1)), (SIMD3(2 * most, 1, 1), SIMD3(2 * most, 1, 1)),
                (SIMD3(most, 2, 1), SIMD3(most, 2, 1)), (SIMD3(most, most, most), SIMD3(most, most, most)),
            ]
            for (global, local) in sizes {
                let error = #expect(throws: OpenCLError.self) {
                    try context.enqueue(kernel, global: global, local: local)
                }
                guard case .invalidArgument = error else {
                    Issue.record("\(global) \(String(describing: local)): \(String(describing: error))")
                    continue
                }
            }
        }
    }

    @Suite struct ProfileTests {
        @Test func timesAreOrderedAndLabelled() throws {
            let context = try OnDevice.context(profiling: true)
            let kernel = try context.program(OnDevice.scale).kernel("scale")
            let x = try context.makeBuffer(bytes: 4 << 20)
            try x.fill(with: Float(0))
            try kernel.bind([.buffer(x), .buffer(x), .float32(1), .int32(1)])
            try context.enqueue(kernel, global: SIMD3(1 << 20, 1, 1), label: "first")
            try context.enqueueForeign("second", routine: "fill") { queue, event throws(OpenCLError) in
                var one: Float = 1
                try check(clEnqueueFillBuffer(queue, x.rawHandle, &one, 4, 0, 4 << 20, 0, nil, event), "fill")
            }
            try context.enqueue(kernel, global: SIMD3(1 << 20, 1, 1))
            let profile = try context.takeProfile()
            #expect(profile.map(\.label) == ["first", "second", "scale"])
            #expect(profile.map(\.kernel) == ["scale", "fill", "scale"])
            #expect(profile.map(\.global) == [SIMD3(1 << 20, 1, 1), nil, SIMD3(1 << 20, 1, 1)])
            for launch in profile {
                #expect(launch.queued <= launch.submitted && launch.submitted <= launch.start)
                #expect(launch.start < launch.end)
            }
            #expect(profile[0].end <= profile[1].start && profile[1].end <= profile[2].start)
            #expect(try context.takeProfile() == [])
            #expect(try x.read(Float.self, count: 1, at: 0) == [2])
        }

        /// As when a routine of several kernels fails behind the first.
        @Test func theEventOfARoutineThatFailsIsReleased() throws {
            let context = try OnDevice.context(profiling: true)
            var kept: cl_event?
            #expect(throws: OpenCLError.self) {
                try context.enqueueForeign("marker", routine: "marker") { queue, event throws(OpenCLError) in
                    try check(clEnqueueMarkerWithWaitList(queue, 0, nil, event), "marker")
                    kept = event?.pointee
                    if let kept { clRetainEvent(kept) }
                    throw .invalidArgument(name: "marker", expected: "a second", got: "none")
                }
            }
            let event = try #require(kept)
            try context.finish()
            var references: cl_uint = 0
            clGetEventInfo(event, cl_event_info(CL_EVENT_REFERENCE_COUNT), 4, &references, nil)
            clReleaseEvent(event)
            #expect(references == 1)
            #expect(try context.takeProfile() == [])
        }

        @Test func aProfileThatNobodyTakesEndsAtABound() throws {
            let context = try OnDevice.context(profiling: true)
            let most = 1 << 18
            func launch() throws {
                try context.enqueueForeign("marker", routine: "marker") { queue, event throws(OpenCLError) in
                    try check(clEnqueueMarkerWithWaitList(queue, 0, nil, event), "marker")
                }
            }
            let before = LiveHandles.now[.event]
            for _ in 0...most { try launch() }
            #expect(LiveHandles.now[.event] == before)
            let error = #expect(throws: OpenCLError.self) { try context.takeProfile() }
            #expect(
                error
                    == .invalidArgument(
                        name: "profile", expected: "at most \(most) launches since it was taken last", got: "more"))
            try launch()
            #expect(try context.takeProfile().count == 1)
        }

        @Test func withoutProfilingThereIsNoProfile() throws {
            let context = try OnDevice.context()
            _ = try OnDevice.runScale(context.program(OnDevice.scale), in: context)
            #expect(try context.takeProfile() == [])
        }
    }
}
