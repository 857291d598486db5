import Foundation
import OpenCLRuntime
import Testing

extension OnDevice {
    @Suite struct BufferTests {
        @Test func bytesGoThereAndBack() throws {
            let context = try OnDevice.context()
            let buffer = try context.makeBuffer(bytes: 40)
            try buffer.fill(with: UInt8(7))
            try buffer.write([1.5, -2.5] as [Float], at: 8)
            try buffer.enqueueWrite([UInt16(513)], at: 38)
            #expect(try buffer.read(UInt8.self, count: 8) == [UInt8](repeating: 7, count: 8))
            #expect(try buffer.read(Float.self, count: 2, at: 8) == [1.5, -2.5])
            #expect(try buffer.read(UInt8.self, count: 4, at: 36) == [7, 7, 1, 2])
            #expect(try buffer.read(UInt64.self, count: 0) == [])
        }

        @Test func fillsParts() throws {
            let context = try OnDevice.context()
            let buffer = try context.makeBuffer(bytes: 32)
            try buffer.fill(with: Int32(-1))
            try buffer.fill(with: Int32(9), at: 4, bytes: 8)
            #expect(try buffer.read(Int32.self, count: 8) == [-1, 9, 9, -1, -1, -1, -1, -1])
        }

        @Test func manyStagedWritesArriveInOrder() throws {
            let context = try OnDevice.context()
            let buffer = try context.makeBuffer(bytes: 4)
            for value in 0..<Int32(10_000) { try buffer.enqueueWrite([value]) }
            #expect(try buffer.read(Int32.self, count: 1) == [9_999])
        }

        /// A read waits, too: who samples piece after piece and only reads would keep every step's parameters.
        @Test func everyWaitFreesWhatWasStagedBefore() throws {
            let context = try OnDevice.context()
            let buffer = try context.makeBuffer(bytes: 4)
            let waits: [() throws -> Void] = [
                { try context.finish() },
                { _ = try buffer.read(Int32.self, count: 1) },
            ]
            for wait in waits {
                for value in 0..<Int32(3) { try buffer.enqueueWrite([value]) }
                #expect(context.stagedWrites == 3)
                try wait()
                #expect(context.stagedWrites == 0)
            }
        }

        @Test func slicesShareAndKeepTheMemory() throws {
            let context = try OnDevice.context()
            let step = context.device.baseAddressAlignBytes
            var whole: Buffer? = try context.makeBuffer(bytes: 4 * step)
            try whole?.fill(with: UInt8(1))
            let part = try #require(try whole?.slice(offset: step, bytes: 3 * step))
            let inner = try part.slice(offset: step, bytes: 4)
            try inner.write([UInt8](repeating: 2, count: 4))
            #expect(try whole?.read(UInt8.self, count: 5, at: 2 * step) == [2, 2, 2, 2, 1])
            whole = nil
            #expect(try part.read(UInt8.self, count: 5, at: step) == [2, 2, 2, 2, 1])
            #expect(context.liveBytes == 4 * step)
        }

        @Test func rangesAreChecked() throws {
            let context = try OnDevice.context()
            let step = context.device.baseAddressAlignBytes
            let buffer = try context.makeBuffer(bytes: 2 * step)
            let misaligned = #expect(throws: OpenCLError.self) { try buffer.slice(offset: step / 2, bytes: 4) }
            #expect(
                misaligned
                    == .invalidArgument(
                        name: "offset", expected: "a multiple of \(step) from the start of the allocation",
                        got: "\(step / 2)"))
            func refuses(_ body: () throws -> Void, _ location: SourceLocation = #_sourceLocation) {
                let error = #expect(throws: OpenCLError.self, sourceLocation: location) { try body() }
                guard case .invalidArgument = error else {
                    Issue.record("unexpected \(String(describing: error))", sourceLocation: location)
                    return
                }
            }
            refuses { _ = try buffer.slice(offset: step, bytes: step + 1) }
            refuses { _ = try buffer.slice(offset: 0, bytes: 0) }
            refuses { _ = try buffer.slice(offset: .max, bytes: .max) }
            refuses { try buffer.write([UInt8](repeating: 0, count: 2 * step + 1)) }
            refuses { try buffer.write([UInt8(0)], at: -1) }
            refuses { try buffer.enqueueWrite([UInt32(0)], at: 2 * step - 3) }
            refuses { _ = try buffer.read(UInt8.self, count: -1) }
            refuses { _ = try buffer.read(Double.self, count: .max) }
            refuses { try buffer.fill(with: SIMD3<UInt8>(), at: 2) }
            refuses { try buffer.fill(with: (UInt8(0), UInt8(0), UInt8(0))) }
            refuses { _ = try context.makeBuffer(bytes: 0) }
            refuses { _ = try context.makeBuffer(bytes: -1) }
        }

        @Test func everythingIsReleasedOnce() throws {
            let before = LiveHandles.now
            try {
                let context = try OnDevice.context(profiling: true)
                let program = try context.program(OnDevice.scale)
                #expect(try OnDevice.runScale(program, in: context) == OnDevice.scaled)
                let buffer = try context.makeBuffer(bytes: 4096)
                let slices = try (0..<3).map { try buffer.slice(offset: 1024 * $0, bytes: 64) }
                try buffer.enqueueWrite([UInt8(1)])
                let during = LiveHandles.now
                #expect(during[.buffer] - before[.buffer] == 1 + slices.count)
                #expect(during[.context] - before[.context] == 1)
                #expect(during[.program] - before[.program] == 1)
                #expect(during[.event] - before[.event] == 1)
            }()
            #expect(LiveHandles.now == before)
        }

        @Test func boundBuffersOutliveTheirNames() throws {
            let context = try OnDevice.context()
            let y = try context.makeBuffer(bytes: 64)
            let kernel = try context.program(OnDevice.scale).kernel("scale")
            try {
                let x = try context.makeBuffer(bytes: 64)
                try x.write((0..<16).map(Float.init))
                try kernel.bind([.buffer(x), .buffer(y), .float32(2), .int32(1)])
            }()
            #expect(context.liveBytes == 128)
            for _ in 0..<2 { try context.enqueue(kernel, global: SIMD3(16, 1, 1), local: SIMD3(4, 1, 1)) }
            #expect(try y.read(count: 16) == OnDevice.scaled)
        }
    }

    @Suite struct MemoryLimitTests {
        @Test func limitIsRefusedBeforeTheDriverIsAsked() throws {
            let context = try OnDevice.context(memoryLimit: 1000)
            let first = try context.makeBuffer(bytes: 600)
            let handles = LiveHandles.now
            let error = #expect(throws: OpenCLError.self) { try context.makeBuffer(bytes: 401) }
            #expect(error == .outOfMemory(needed: 401, available: 400, limit: 1000))
            #expect(LiveHandles.now == handles)
            #expect(context.liveBytes == 600 && context.peakBytes == 600)
            try {
                _ = try context.makeBuffer(bytes: 400)
                #expect(context.liveBytes <= 1000)
            }()
            #expect(context.liveBytes == 600 && context.peakBytes == 1000)
            _ = try context.makeBuffer(bytes: 400)
            #expect(first.byteCount == 600)
        }

        @Test func aBufferLargerThanTheDeviceAllowsIsRefused() throws {
            let context = try OnDevice.context(memoryLimit: .max)
            let largest = context.device.maxAllocationBytes
            let error = #expect(throws: OpenCLError.self) { try context.makeBuffer(bytes: largest + 1) }
            #expect(error == .bufferTooLarge(needed: largest + 1, largest: largest))
            #expect(context.liveBytes == 0)
        }

        @Test func limitMustBePositive() throws {
            #expect(throws: OpenCLError.invalidArgument(name: "memoryLimit", expected: "a positive number", got: "0")) {
                try OnDevice.context(memoryLimit: 0)
            }
        }

        @Test func environmentSetsTheLimit() async {
            await #expect(processExitsWith: .success) {
                for (text, bytes) in [("3000", 3000), ("2K", 2048), ("1m", 1 << 20), ("1G", 1 << 30)] {
                    setenv("SMDIM_MEMORY_LIMIT", text, 1)
                    #expect(try OnDevice.context().memoryLimit == bytes)
                }
                #expect(try OnDevice.context(memoryLimit: 5).memoryLimit == 5)
                for text in ["K", "-5", "0", "1T", "1.5G", "9999999999999G"] {
                    setenv("SMDIM_MEMORY_LIMIT", text, 1)
                    let error = #expect(throws: OpenCLError.self) { try OnDevice.context() }
                    guard case .invalidArgument("SMDIM_MEMORY_LIMIT", _, text) = error else {
                        Issue.record("\(text): unexpected \(String(describing: error))")
                        continue
                    }
                }
                setenv("SMDIM_MEMORY_LIMIT", "", 1)
                let context = try OnDevice.context()
                #expect(context.memoryLimit == context.device.globalMemoryBytes)
            }
        }
    }
}
