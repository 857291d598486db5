import ArgumentParser
import Foundation
import OpenCLRuntime

struct Devices: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the OpenCL devices.")

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let list = try DeviceList.withRemarks()
        let devices = list.devices
        let chosen = try? list.select().index
        if json {
            return try Terminal.result(try Terminal.json(devices.map { Row($0, isDefault: $0.index == chosen) }))
        }
        let rows = devices.map { device in
            [
                "\(device.index)", device.kind.rawValue, device.name, "\(device.computeUnits)",
                "\(device.globalMemoryBytes >> 20) MiB", device.driver,
                device.index == chosen ? "default" : "",
            ]
        }
        try Terminal.result(Terminal.table(["", "kind", "name", "units", "memory", "driver", ""], rows))
    }

    private struct Row: Encodable {
        let index: Int
        let kind: String
        let name: String
        let computeUnits: Int
        let memoryBytes: Int
        let driver: String
        let isDefault: Bool

        init(_ device: Device, isDefault: Bool) {
            index = device.index
            kind = device.kind.rawValue
            name = device.name
            computeUnits = device.computeUnits
            memoryBytes = device.globalMemoryBytes
            driver = device.driver
            self.isDefault = isDefault
        }
    }
}

extension DeviceList {
    /// The devices, with a remark on each that cannot be used.
    static func withRemarks() throws -> DeviceList {
        let list = try DeviceList()
        for unusable in list.unusable { Terminal.note("\(unusable)") }
        return list
    }
}
