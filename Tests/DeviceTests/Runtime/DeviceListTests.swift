import OpenCLRuntime
import Testing
import _DriverFaults

extension OnDevice {
    /// Drivers that fail. In processes of their own, because a fault stays.
    @Suite struct DeviceListTests {
        @Test(
            arguments: [
                (
                    DRIVER_FAULT_SILENT_PLATFORM,
                    "platform 0: cannot be used: clGetDeviceIDs failed with CL_OUT_OF_HOST_MEMORY (-6)"
                ),
                (
                    DRIVER_FAULT_SILENT_DEVICE,
                    ", a device: cannot be used: clGetDeviceInfo failed with CL_INVALID_DEVICE (-33)"
                ),
                (DRIVER_FAULT_ABSENT_DEVICE, ", abacus: cannot be used: its driver says that it is not available"),
                (
                    DRIVER_FAULT_OLD_DEVICE,
                    ", abacus: cannot be used: OpenCL 1.2 is needed, its driver has OpenCL 1.1 beads"
                ),
                (DRIVER_FAULT_NO_COMPILER, ", abacus: cannot be used: its driver has no compiler"),
            ].map { (Int($0.0.rawValue), $0.1) })
        func whatCannotBeUsedIsLeftAside(_ fault: Int, _ remark: String) async {
            await #expect(processExitsWith: .success) { [fault, remark] in
                let before = try DeviceList()
                provoke(driver_fault(UInt32(fault)))
                let list = try DeviceList()
                #expect(list.devices.map(\.name) == before.devices.map(\.name))
                #expect(list.devices.map(\.index) == Array(0..<list.devices.count))
                let remarks = list.unusable.map(\.description)
                #expect(remarks.contains { $0.hasSuffix(remark) }, "\(remarks)")
                #expect(try Device.select().name == before.select().name)
            }
        }

        @Test func aPlatformWithoutDevicesIsNamed() async {
            await #expect(processExitsWith: .success) {
                provoke(DRIVER_FAULT_EMPTY_PLATFORMS)
                let error = #expect(throws: OpenCLError.self) { try DeviceList() }
                #expect(
                    error?.description.contains("its driver found no devices") == true, "\(String(describing: error))")
            }
        }

        @Test func whereNothingIsLeftTheReasonsAreGiven() async {
            await #expect(processExitsWith: .success) {
                provoke(DRIVER_FAULT_SILENT_PLATFORMS)
                let error = #expect(throws: OpenCLError.self) { try DeviceList() }
                guard case .noUsableDevice = error else {
                    Issue.record("unexpected \(String(describing: error))")
                    return
                }
                #expect(
                    error?.description.contains(": cannot be used: clGetDeviceIDs failed with CL_OUT_OF_HOST_MEMORY")
                        == true)
            }
        }
    }
}
