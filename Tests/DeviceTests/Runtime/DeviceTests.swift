import Foundation
import OpenCLRuntime
import Synchronization
import Testing

/// Requests that depend on the environment run in processes of their own, because the loader reads it once.
@Suite struct DeviceWithoutPlatformTests {
    @Test func noPlatformSaysWhatToInstall() async {
        await #expect(processExitsWith: .success) {
            setenv("OCL_ICD_VENDORS", "/nonexistent/", 1)
            let error = #expect(throws: OpenCLError.self) { try Device.select() }
            #expect(error == .noPlatform)
            #expect(error?.description.contains("pocl-opencl-icd") == true)
        }
    }
}

extension OnDevice {
    @Suite struct DeviceTests {
        @Test func describesEveryDevice() throws {
            let devices = try DeviceList().devices
            #expect(devices.map(\.index) == Array(0..<devices.count))
            for device in devices {
                #expect(!device.name.isEmpty && !device.driverVersion.isEmpty && !device.platformVersion.isEmpty)
                #expect(device.computeUnits > 0 && device.maxWorkGroupSize > 0 && device.localMemoryBytes > 0)
                #expect(0 < device.maxAllocationBytes && device.maxAllocationBytes <= device.globalMemoryBytes)
                #expect(device.baseAddressAlignBytes.nonzeroBitCount == 1)
            }
        }

        /// The first of all calls, from many threads at once.
        @Test func anyThreadMayAskFirst() async {
            await #expect(processExitsWith: .success) {
                let counts = Mutex([Int]())
                DispatchQueue.concurrentPerform(iterations: 8) { _ in
                    let count = (try? DeviceList())?.devices.count ?? 0
                    counts.withLock { $0.append(count) }
                }
                let found = counts.withLock(\.self)
                #expect(Set(found).count == 1 && found[0] > 0, "\(found)")
            }
        }

        @Test func selectsByIndexKindAndPartOfName() throws {
            let devices = try DeviceList().devices
            for device in devices {
                #expect(try Device.select("\(device.index)").index == device.index)
                let sameName = devices.first { $0.name == device.name }
                #expect(try Device.select(device.name.uppercased()).index == sameName?.index)
            }
            for kind in [Device.Kind.gpu, .cpu] where devices.contains(where: { $0.kind == kind }) {
                #expect(try Device.select(kind.rawValue).kind == kind)
            }
        }

        /// A number is an index or a whole number in a name: the name of PoCL's device holds avx512.
        @Test(arguments: ["no such device", "-1", "", "5", "12", "99999999999999999999"])
        func unmatchedRequestListsTheDevices(_ request: String) throws {
            let names = try DeviceList().devices.map { "\($0.index): \($0.name)" }
            let error = #expect(throws: OpenCLError.self) { try Device.select(request) }
            #expect(error == .noDevice(requested: request, available: names))
        }

        @Test func environmentChoosesTheDefault() async {
            await #expect(processExitsWith: .success) {
                setenv("SMDIM_DEVICE", "nothing of this name", 1)
                let error = #expect(throws: OpenCLError.self) { try Device.select() }
                guard case .noDevice(requested: "nothing of this name", _) = error else {
                    Issue.record("unexpected \(String(describing: error))")
                    return
                }
                setenv("SMDIM_DEVICE", "0", 1)
                #expect(try Device.select().index == 0)
                setenv("SMDIM_DEVICE", "", 1)
                _ = try Device.select()
            }
        }

        @Test(.enabled(if: (try? DeviceList())?.devices.contains(where: \.isPoCL) == true, "needs PoCL"))
        func twoDevicesOfOnePlatformHaveTheirOwnIndices() async {
            await #expect(processExitsWith: .success) {
                setenv("POCL_DEVICES", "pthread basic", 1)
                let devices = try DeviceList().devices
                #expect(devices.filter(\.isPoCL).count == 2)
                #expect(devices.map(\.index) == Array(0..<devices.count))
                #expect(try Device.select("1").index == 1)
            }
        }
    }
}
